#include "viewer/export_command.h"

#include <stdio.h>

#include "tracer/model/time_text.h"
#include "viewer/lane_list.h"
#include "viewer/picture.h"

static gboolean moment(const char *text, ReelDocument *document, uint64_t *ns)
{
    struct reel_error error = {0};
    if (!text || reel_moment_parse(text, *ns, reel_document_end_ns(document), ns, &error))
        return TRUE;
    fprintf(stderr, "reel: %s\n", error.message);
    return FALSE;
}

static const struct reel_finding_mark *finding_of(ReelDocument *document, const char *id)
{
    for (guint i = 0; i < reel_document_finding_count(document); i++) {
        const struct reel_finding_mark *finding = reel_document_finding(document, i);
        if (g_str_equal(finding->id, id))
            return finding;
    }
    fprintf(stderr, "reel: there is no finding %s in this trace; reel report lists them\n", id);
    return NULL;
}

/* All that belongs to a finding, with a margin. */
static void show_finding(struct reel_picture *picture)
{
    const struct reel_finding_mark *finding = picture->finding;
    uint64_t first = finding->time_ns, last = finding->time_ns;
    for (guint i = 0; i < finding->evidence->len; i++) {
        uint64_t time = g_array_index(finding->evidence, struct reel_evidence_mark, i).time_ns;
        if (!time)
            continue;
        first = first ? MIN(first, time) : time;
        last = MAX(last, time);
    }
    if (!first)
        return;
    uint64_t margin = (last - first) / 4 + 20000;
    picture->from_ns = MAX(picture->from_ns, first > margin ? first - margin : 0);
    picture->to_ns = MIN(picture->to_ns, last + 3 * margin);
    picture->cursor_ns = finding->time_ns;
}

static int draw(ReelDocument *document, const struct reel_export_wishes *wishes)
{
    struct reel_palette palette;
    if (!reel_palette_load(&palette, wishes->theme ? wishes->theme : "light")) {
        fprintf(stderr, "reel: there is no theme %s: light, dark, contrast\n", wishes->theme);
        return 2;
    }
    g_autoptr(ReelLaneList) lanes = reel_lane_list_new(document, NULL);
    struct reel_picture picture = {
        .document = document,
        .layout = reel_lane_list_layout(lanes),
        .palette = &palette,
        .from_ns = reel_document_start_ns(document),
        .to_ns = reel_document_end_ns(document),
        .cursor_ns = UINT64_MAX,
        .width = CLAMP(wishes->width ? wishes->width : 1400, 300, 16000),
    };
    if (wishes->finding && !(picture.finding = finding_of(document, wishes->finding)))
        return 2;
    if (picture.finding)
        show_finding(&picture);
    uint64_t at = 0;
    if (!moment(wishes->from, document, &picture.from_ns) ||
        !moment(wishes->to, document, &picture.to_ns) || !moment(wishes->at, document, &at))
        return 2;
    if (wishes->at)
        picture.cursor_ns = at;
    if (picture.to_ns <= picture.from_ns) {
        fprintf(stderr, "reel: the range ends before it begins\n");
        return 2;
    }
    g_autoptr(GError) error = NULL;
    if (reel_picture_write(&picture, wishes->file, &error))
        return 0;
    fprintf(stderr, "reel: %s\n", error->message);
    return 1;
}

int reel_export_command(const char *trace, const struct reel_export_wishes *wishes)
{
    g_autoptr(ReelDocument) document = reel_document_new(trace);
    g_autoptr(GError) error = NULL;
    if (!reel_document_load_now(document, &error)) {
        fprintf(stderr, "reel: %s\n", error->message);
        return 3;
    }
    return draw(document, wishes);
}
