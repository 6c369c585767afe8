/* dlopen and dlclose: the collector reads the maps again, so that addresses in what was loaded get
 * names. dlopen looks at its caller to resolve $ORIGIN and namespaces: a call from here would find
 * this library instead. Only calls with an absolute path, or none, are the same from anywhere; so
 * the real dlopen is entered by a jump that leaves the caller's return address in place, and what
 * the event says is that a load was about to happen. */
#include <link.h>

#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

/* Called by the assembly below; must keep nothing but its arguments. */
__attribute__((used, visibility("hidden"))) void *reel_module_opening(const char *path)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MODULE);
    if (tls)
        reel_emit_text(tls, REEL_KIND(REEL_OP_LOAD, REEL_CLASS_MODULE, 0), 0, 0, 0, path);
    if (!reel_real.dlopen)
        reel_initialise();
    return (void *)reel_real.dlopen;
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl dlopen\n"
        ".type dlopen, @function\n"
        "dlopen:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    push %rdi\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    push %rsi\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    sub $8, %rsp\n"
        "    .cfi_adjust_cfa_offset 8\n"
        "    call reel_module_opening\n"
        "    add $8, %rsp\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    pop %rsi\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    pop %rdi\n"
        "    .cfi_adjust_cfa_offset -8\n"
        "    jmp *%rax\n"
        "    .cfi_endproc\n"
        ".size dlopen, .-dlopen\n");
#endif

REEL_INTERPOSE
int dlclose(void *handle)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_MODULE);
    if (tls)
        reel_emit(tls, REEL_KIND(REEL_OP_UNLOAD, REEL_CLASS_MODULE, 0), (uintptr_t)handle, 0, 0, 0);
    return reel_real.dlclose(handle);
}
