#include "tracer/model/event_text.h"

#include <inttypes.h>
#include <string.h>

#include "probes/event/record.h"
#include "tracer/model/state.h"

void reel_event_text_argument(GString *text, unsigned operation, int64_t argument)
{
    switch (operation) {
    case REEL_OP_REQUEST:
    case REEL_OP_WAIT:
    case REEL_OP_BEGIN:
    case REEL_OP_ARRIVE:
        g_string_append_printf(text, "%s%s", reel_call_name((unsigned)argument & REEL_CALL_NUMBER),
                               argument & REEL_CALL_TIMED ? " (timed)"
                               : argument & REEL_CALL_TRY ? " (try)"
                                                          : "");
        return;
    case REEL_OP_FAIL:
    case REEL_OP_RELEASE_FAILED:
    case REEL_OP_EXEC_FAILED:
        g_string_append(text, g_strerror((int)argument));
        return;
    case REEL_OP_END:
        if ((int32_t)argument < 0)
            g_string_append(text, g_strerror(-(int32_t)argument));
        else
            g_string_append_printf(text, "= %" PRId64, argument);
        return;
    case REEL_OP_KILL:
        g_string_append_printf(text, "signal %" PRId64, argument);
        return;
    case REEL_OP_OPEN:
    case REEL_OP_CLOSE:
    case REEL_OP_READY:
    case REEL_OP_WATCH:
        g_string_append_printf(text, "fd %" PRId64, argument);
        return;
    default:
        if (argument)
            g_string_append_printf(text, "%" PRId64, argument);
    }
}

bool reel_event_text_access(GString *text, const char *words)
{
    char *end;
    guint64 kind = words ? g_ascii_strtoull(words, &end, 10) : 0;
    if (kind & REEL_ACCESS_INSTRUMENTED || !(kind & (REEL_ACCESS_SINGLE | REEL_ACCESS_VALUE)))
        return words && (!strcmp(words, "0") || !strcmp(words, "2")); /* nothing more is known */
    if (kind & REEL_ACCESS_VALUE)
        g_string_append_printf(text, "%s%" PRIu64, kind & REEL_ACCESS_WRITE ? " → " : " = ",
                               (uint64_t)g_ascii_strtoll(end, NULL, 10));
    return true;
}

void reel_event_text_flags(GString *text, unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {{REEL_FLAG_READ, "read"},
                 {REEL_FLAG_RECURSIVE, "nested"},
                 {REEL_FLAG_IN_WAIT, "by the wait"},
                 {REEL_FLAG_TRY, "try"},
                 {REEL_FLAG_BLOCKED, "blocked"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (flags & names[i].flag)
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", names[i].name);
}
