#include "tracer/export/finding_report.h"

#include <string.h>

bool reel_export_is_own(const struct reel_export_frame *frame)
{
    static const char *const runtimes[] = {"libc.so",   "libc-",    "libpthread",    "ld-linux",
                                           "libstdc++", "libgcc_s", "libreel-probe", "libc++"};
    if (!frame->module)
        return frame->file != NULL;
    const char *base = strrchr(frame->module, '/');
    base = base ? base + 1 : frame->module;
    for (size_t i = 0; i < G_N_ELEMENTS(runtimes); i++)
        if (g_str_has_prefix(base, runtimes[i]))
            return false;
    return true;
}

bool reel_export_place(const struct reel_export_names *names, uint32_t stack,
                       struct reel_export_frame *frame)
{
    struct reel_export_frame frames[REEL_EXPORT_FRAMES];
    unsigned count = stack ? names->stack(names->data, stack, frames, REEL_EXPORT_FRAMES) : 0;
    const struct reel_export_frame *best = NULL;
    for (unsigned i = 0; i < count; i++) {
        if (!reel_export_is_own(&frames[i]))
            continue;
        if (frames[i].file && frames[i].line > 0) {
            best = &frames[i];
            break;
        }
        if (!best)
            best = &frames[i];
    }
    if (!best && count)
        best = &frames[0];
    if (best)
        *frame = *best;
    return best != NULL;
}

/* Which evidence to look at first: of two moments of one thread the second is where it went wrong
 * (it waits, it unlocks); standing still has no second moment. */
static size_t first_to_ask(const struct reel_finding *finding)
{
    return finding->evidence_count > 1 && finding->kind != REEL_FINDING_HANG ? 1 : 0;
}

bool reel_export_finding_place(const struct reel_export_names *names,
                               const struct reel_finding *finding, struct reel_export_frame *frame)
{
    struct reel_export_frame found;
    bool any = false;
    size_t first = first_to_ask(finding);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        size_t index = (first + i) % finding->evidence_count;
        if (!reel_export_place(names, finding->evidence[index].stack, &found))
            continue;
        if (found.file && found.line > 0) {
            *frame = found;
            return true;
        }
        if (!any)
            *frame = found;
        any = true;
    }
    return any;
}

unsigned reel_export_telling(const struct reel_export_frame *frames, unsigned count)
{
    for (unsigned left = count; left > 0; left--) {
        const struct reel_export_frame *last = &frames[left - 1];
        if (reel_export_is_own(last) && g_strcmp0(last->function, "_start") != 0)
            return left;
    }
    return count;
}

const char *reel_export_file(const struct reel_finding_report *report, const char *file)
{
    if (!report->folder || !file)
        return file;
    size_t length = strlen(report->folder);
    if (length && strncmp(file, report->folder, length) == 0 && file[length] == '/' &&
        file[length + 1])
        return file + length + 1;
    return file;
}

char *reel_export_headline(const struct reel_finding *finding)
{
    return g_strdup_printf("%s (%s)", reel_finding_kind_name(finding->kind),
                           reel_confidence_name(finding->confidence));
}
