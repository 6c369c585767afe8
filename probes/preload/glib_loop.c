/* GLib main loops: a loop that a thread runs by poll is named after what runs it. Resolved when
 * first called, for GLib may be loaded late. Nothing of it is linked. */
#include "probes/preload/loop.h"
#include "probes/preload/probe.h"

static __thread bool named __attribute__((tls_model("initial-exec")));

static void name_loop(const char *name)
{
    struct reel_tls *tls = named ? NULL : reel_enter(REEL_FAMILY_LOOP);
    if (!tls)
        return;
    named = true;
    reel_emit_text(tls, REEL_KIND(REEL_OP_NAME, REEL_CLASS_LOOP, 0), reel_loop_of_thread(tls), 0, 0,
                   name);
}

#define GLIB_REAL(type, name, ...)                                                                 \
    static type (*real)(__VA_ARGS__);                                                              \
    if (REEL_UNLIKELY(!real))                                                                      \
    real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

REEL_INTERPOSE
void g_main_loop_run(void *loop)
{
    GLIB_REAL(void, "g_main_loop_run", void *);
    name_loop("GLib main loop");
    real(loop);
}

REEL_INTERPOSE
int g_main_context_iteration(void *context, int may_block)
{
    GLIB_REAL(int, "g_main_context_iteration", void *, int);
    name_loop("GLib main context");
    return real(context, may_block);
}
