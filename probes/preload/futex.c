/* Raw futexes, made by syscall(): the locks of Rust's standard library and of C++20's atomics wait
 * and wake with them. They show only when they block: that is when they make a call.
 *
 * syscall() is entered by a jump for everything else, so that a child made by it (clone, vfork)
 * finds the caller's frame and not one of ours. */
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "probes/preload/probe.h"
#include "probes/preload/raw.h"
#include "probes/preload/stack.h"

#define FUTEX(op, shared)                                                                          \
    REEL_KIND(REEL_OP_##op, REEL_CLASS_FUTEX, (shared) ? REEL_FLAG_SHARED_OBJECT : 0)

static long wait_on(struct reel_tls *tls, long word, long operation, long value, long timeout,
                    long second, long mask, uint32_t stack)
{
    bool shared = !(operation & FUTEX_PRIVATE_FLAG);
    uint32_t call = REEL_CALL_FUTEX_WAIT | (timeout ? REEL_CALL_TIMED : 0);
    uint64_t expected = (uint32_t)value;
    reel_emit_words(tls, FUTEX(WAIT, shared), (uint64_t)word, 0, call, stack, &expected, 1);
    reel_wait_begin(tls, FUTEX(WAIT, shared), (uint64_t)word, call, stack);
    long result = reel_real.syscall(SYS_futex, word, operation, value, timeout, second, mask);
    int saved = errno;
    reel_wait_end(tls);
    reel_emit(tls, FUTEX(WAKE, shared), (uint64_t)word, 0,
              (uint32_t)(result < 0 ? saved : (int)result), 0);
    errno = saved;
    return result;
}

__attribute__((used, visibility("hidden"))) long reel_futex_call(long number, long word,
                                                                 long operation, long value,
                                                                 long timeout, long second,
                                                                 long mask)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_FUTEX);
    if (!tls)
        return reel_real.syscall(number, word, operation, value, timeout, second, mask);
    bool shared = !(operation & FUTEX_PRIVATE_FLAG);
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        return wait_on(tls, word, operation, value, timeout, second, mask, reel_stack_here(tls));
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        reel_emit(tls, value == 1 ? FUTEX(SIGNAL, shared) : FUTEX(BROADCAST, shared),
                  (uint64_t)word, 0, (uint32_t)value, reel_stack_here(tls));
        break;
    default:
        break;
    }
    return reel_real.syscall(number, word, operation, value, timeout, second, mask);
}

/* Where the jump goes: the real function, resolved by now or now. */
__attribute__((used, visibility("hidden"))) void *reel_syscall_target(long number, long first,
                                                                      long second)
{
    if (REEL_UNLIKELY(!reel_real.syscall))
        reel_initialise();
    uint64_t flags = 0;
    if (number == SYS_seccomp)
        reel_confined(PR_SET_SECCOMP,
                      first == SECCOMP_SET_MODE_STRICT ? SECCOMP_MODE_STRICT : SECCOMP_MODE_FILTER);
    else if (number == SYS_prctl)
        reel_confined(first, (unsigned long)second);
    else if (number == SYS_clone)
        flags = (uint64_t)first;
    else if (number == SYS_clone3 && first)
        flags = *(const uint64_t *)first; /* struct clone_args begins with them */
    /* Two threads would write with one storage: neither records from here on. */
    if ((flags & CLONE_VM) && !(flags & (CLONE_SETTLS | CLONE_VFORK)))
        reel_tls.inside++;
    return number == SYS_futex ? (void *)reel_futex_call : (void *)reel_real.syscall;
}

#if defined(__x86_64__)
/* rdi number, rsi rdx rcx r8 r9 five arguments, the sixth on the stack: a jump keeps all in place.
 */
__asm__(".text\n"
        ".globl syscall\n"
        ".type syscall, @function\n"
        "syscall:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    push %rdi\n    .cfi_adjust_cfa_offset 8\n"
        "    push %rsi\n    .cfi_adjust_cfa_offset 8\n"
        "    push %rdx\n    .cfi_adjust_cfa_offset 8\n"
        "    push %rcx\n    .cfi_adjust_cfa_offset 8\n"
        "    push %r8\n    .cfi_adjust_cfa_offset 8\n"
        "    push %r9\n    .cfi_adjust_cfa_offset 8\n"
        "    sub $8, %rsp\n    .cfi_adjust_cfa_offset 8\n"
        "    call reel_syscall_target\n"
        "    add $8, %rsp\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %r9\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %r8\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %rcx\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %rdx\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %rsi\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %rdi\n    .cfi_adjust_cfa_offset -8\n"
        "    jmp *%rax\n"
        "    .cfi_endproc\n"
        ".size syscall, .-syscall\n");
#endif
