/* Findings over the lanes: every one a small mark where it became true; the selected one in full,
 * each kind as what it is. Colour is never the only sign: there are glyphs and words too. */
#include <math.h>
#include <string.h>

#include "viewer/core/finding_glyph.h"
#include "viewer/draw/scene.h"

static const char *glyph_of(const char *name)
{
    enum reel_finding_kind kind;
    return name && reel_finding_kind_parse(name, &kind) ? reel_finding_glyph(kind) : "!";
}

static guint lane_of_thread(const struct reel_scene *scene, uint32_t thread)
{
    return reel_document_lane_index(scene->document,
                                    reel_document_thread_lane(scene->document, thread));
}

static guint lane_of_object(const struct reel_scene *scene, uint32_t object)
{
    return reel_document_lane_index(scene->document,
                                    reel_document_object_lane(scene->document, object));
}

static double lane_height(const struct reel_scene *scene, guint lane)
{
    uint32_t row = reel_lane_layout_row_of(scene->layout, lane);
    return row == scene->layout->count ? 0 : scene->layout->row[row].height;
}

/* A chip with a text, at the right of a place or, where there is no room, at its left. */
static void paint_chip(const struct reel_scene *scene, struct reel_painter *painter,
                       const char *text, double x, double y)
{
    const GdkRGBA ink = reel_palette_text_on(&scene->palette->finding);
    double width = MIN(reel_paint_text_width(painter, text, REEL_TEXT_SMALL) + 10, 460);
    double left = x + 5 + width > scene->width ? x - 5 - width : x + 5;
    left = MAX(left, REEL_TIMELINE_NAMES);
    reel_paint_rect(painter, left, y - 8, width, 16, &scene->palette->finding);
    reel_paint_text(painter, text, left + 5, y - 8, width - 8, 16, &ink, REEL_TEXT_SMALL);
}

static gboolean in_view(const struct reel_scene *scene, double x)
{
    return x >= REEL_TIMELINE_NAMES - 8 && x <= scene->width + 8;
}

/* Whether it happened in this run; else it is drawn broken, and says what it is instead. */
static gboolean is_observed(const struct reel_finding_mark *finding)
{
    return g_strcmp0(finding->confidence, "observed") == 0;
}

static void paint_mark(const struct reel_scene *scene, struct reel_painter *painter,
                       const struct reel_finding_mark *finding)
{
    double x = reel_scene_x(scene, finding->time_ns);
    if (!finding->time_ns || !in_view(scene, x))
        return;
    GdkRGBA color = scene->palette->finding;
    gboolean grave = g_strcmp0(finding->severity, "error") == 0;
    if (!grave)
        color.alpha = 0.45f;
    if (is_observed(finding))
        reel_paint_rect(painter, x - 0.75, scene->top, 1.5, scene->height, &color);
    else
        reel_paint_line(painter, x, scene->top, x, scene->top + scene->height, 1.5, 4, &color);
    double y = -1;
    if (finding->threads->len)
        y = reel_scene_lane_y(scene,
                              lane_of_thread(scene, g_array_index(finding->threads, uint32_t, 0)));
    reel_paint_text(painter, glyph_of(finding->kind), x + 3, y < 0 ? scene->top : y - 8, 20, 16,
                    &scene->palette->finding, REEL_TEXT_BOLD);
}

/* Whom a thread waits for at a moment: who holds the lock, or the thread whose end it awaits. 0: it
 * waits for nobody. */
static uint32_t waited_for(const struct reel_scene *scene, uint32_t thread, uint64_t ns,
                           uint32_t *object)
{
    const struct reel_lane *lane = reel_document_thread_lane(scene->document, thread);
    size_t at = lane ? reel_lane_data_at(&lane->data, ns) : 0;
    if (!lane || at == lane->data.count)
        return 0;
    *object = lane->data.object[at];
    const struct reel_lane *lock = reel_document_object_lane(scene->document, *object);
    if (!lock || lock->kind != REEL_LANE_LOCK)
        return 0;
    size_t held = reel_lane_data_at(&lock->data, ns);
    return held < lock->data.count ? lock->data.object[held] : 0;
}

/* An edge of the wait-for graph, from lane to lane, with what it is about. */
static void paint_edge(const struct reel_scene *scene, struct reel_painter *painter,
                       uint32_t thread, uint64_t ns, double x)
{
    uint32_t object = 0, holder = waited_for(scene, thread, ns, &object);
    double y1 = reel_scene_lane_y(scene, lane_of_thread(scene, thread));
    double y2 = reel_scene_lane_y(scene, lane_of_thread(scene, holder));
    if (!holder || y1 < 0 || y2 < 0 || fabs(y1 - y2) < 1)
        return;
    y1 += y2 > y1 ? 4 : -4;
    y2 += y2 > y1 ? -4 : 4;
    reel_paint_arrow(painter, x, y1, x, y2, 5, &scene->palette->background);
    reel_paint_arrow(painter, x, y1, x, y2, 2, &scene->palette->finding);
    paint_chip(scene, painter, reel_document_object_name(scene->document, object), x, y1);
}

/* From when the cycle closed: a red band through the lanes of those in it, and who waits for whom.
 */
static void paint_deadlock(const struct reel_scene *scene, struct reel_painter *painter,
                           const struct reel_finding_mark *finding)
{
    uint64_t end_ns = finding->end_ns ? finding->end_ns : reel_document_end_ns(scene->document);
    double left = MAX(reel_scene_x(scene, finding->time_ns), REEL_TIMELINE_NAMES);
    double right = MIN(reel_scene_x(scene, end_ns), scene->width);
    GdkRGBA tint = scene->palette->finding;
    tint.alpha = 0.16f;
    for (guint i = 0; i < finding->threads->len; i++) {
        guint lane = lane_of_thread(scene, g_array_index(finding->threads, uint32_t, i));
        double y = reel_scene_lane_y(scene, lane), height = lane_height(scene, lane);
        if (y < 0 || right <= left)
            continue;
        reel_paint_rect(painter, left, y - height / 2, right - left, height, &tint);
        reel_paint_frame(painter, left, y - height / 2, right - left, height, 1.5,
                         &scene->palette->finding);
    }
    double step = CLAMP((right - left) / (finding->threads->len + 1), 8, 90);
    for (guint i = 0; i < finding->threads->len; i++)
        paint_edge(scene, painter, g_array_index(finding->threads, uint32_t, i), finding->time_ns,
                   right - step * (i + 0.6));
}

static const struct reel_evidence_mark *evidence_at(const struct reel_finding_mark *finding,
                                                    guint index)
{
    return &g_array_index(finding->evidence, struct reel_evidence_mark, index);
}

/* What a piece of evidence says, together with those of its thread that are near: the first of them
 * speaks for all. */
static void paint_words(const struct reel_scene *scene, struct reel_painter *painter,
                        const struct reel_finding_mark *finding, guint index, double x, double y)
{
    g_autoptr(GString) words = g_string_new(NULL);
    double right = x; /* of the last of them */
    for (guint i = 0; i < finding->evidence->len && i < 64; i++) {
        const struct reel_evidence_mark *other = evidence_at(finding, i);
        if (other->thread != evidence_at(finding, index)->thread || !other->time_ns ||
            fabs(reel_scene_x(scene, other->time_ns) - x) > 200)
            continue;
        if (i < index)
            return;
        right = MAX(right, reel_scene_x(scene, other->time_ns));
        g_string_append_printf(words, "%s%u %s", words->len ? "  ·  " : "", i + 1, other->role);
    }
    paint_chip(scene, painter, words->str, right + 4, y);
}

/* How sure it is, above the uppermost of what is linked. */
static void paint_confidence(const struct reel_scene *scene, struct reel_painter *painter,
                             const struct reel_finding_mark *finding, double x, double y)
{
    gboolean proved = g_strcmp0(finding->confidence, "proved") == 0;
    const char *text = proved ? "proved: not in this run, but in another order of its steps"
                              : "possible: the pattern of it is there";
    paint_chip(scene, painter, text, x, MAX(y - 20, scene->top + 9));
}

/* Every piece of evidence: a diamond on its thread's lane, a number and what it says. Linked by the
 * order that is missing: dashed, or dotted and between hollow diamonds where it was there in this
 * run and need not be in another. */
static void paint_evidence(const struct reel_scene *scene, struct reel_painter *painter,
                           const struct reel_finding_mark *finding, gboolean linked)
{
    double before_x = 0, before_y = -1, top_x = 0, top_y = -1;
    gboolean observed = is_observed(finding);
    for (guint i = 0; i < finding->evidence->len && i < 64; i++) {
        const struct reel_evidence_mark *evidence = evidence_at(finding, i);
        guint lane = lane_of_thread(scene, evidence->thread);
        double y = reel_scene_lane_y(scene, lane);
        if (!evidence->time_ns || y < 0)
            continue;
        double x = reel_scene_x(scene, evidence->time_ns);
        if (linked && before_y >= 0)
            reel_paint_line(painter, before_x, before_y, x, y, 2, observed ? 5 : 2,
                            &scene->palette->finding);
        before_x = x;
        before_y = y;
        if (in_view(scene, x) && (top_y < 0 || y < top_y)) {
            top_x = x;
            top_y = y;
        }
    }
    for (guint i = 0; i < finding->evidence->len && i < 64; i++) {
        const struct reel_evidence_mark *evidence = evidence_at(finding, i);
        double y = reel_scene_lane_y(scene, lane_of_thread(scene, evidence->thread));
        double x = reel_scene_x(scene, evidence->time_ns);
        if (!evidence->time_ns || y < 0 || !in_view(scene, x))
            continue;
        reel_paint_diamond(painter, x, y, 8, &scene->palette->background);
        reel_paint_diamond(painter, x, y, 6, &scene->palette->finding);
        if (linked && !observed)
            reel_paint_diamond(painter, x, y, 3.5, &scene->palette->background);
        paint_words(scene, painter, finding, i, x, y);
    }
    if (linked && !observed && top_y >= 0)
        paint_confidence(scene, painter, finding, top_x, top_y);
}

/* A bracket on the lane of the lock, for as long as it lasted. */
static void paint_bracket(const struct reel_scene *scene, struct reel_painter *painter,
                          const struct reel_finding_mark *finding)
{
    guint lane = finding->objects->len
                     ? lane_of_object(scene, g_array_index(finding->objects, uint32_t, 0))
                     : G_MAXUINT;
    double y = reel_scene_lane_y(scene, lane), height = lane_height(scene, lane);
    if (y < 0)
        return;
    uint64_t from = finding->time_ns ? finding->time_ns : reel_document_start_ns(scene->document);
    uint64_t to = finding->end_ns > from ? finding->end_ns : reel_document_end_ns(scene->document);
    double left = MAX(reel_scene_x(scene, from), REEL_TIMELINE_NAMES + 1),
           right = MIN(reel_scene_x(scene, to), scene->width - 2);
    if (right <= left)
        return;
    const GdkRGBA *color = &scene->palette->finding;
    reel_paint_rect(painter, left, y - height / 2, right - left, 2.5, color);
    reel_paint_rect(painter, left, y - height / 2, 2.5, height, color);
    reel_paint_rect(painter, right - 2.5, y - height / 2, 2.5, height, color);
    g_autofree char *text = g_strdup_printf("≋ %s", finding->title);
    paint_chip(scene, painter, text, left, y - height / 2 + 9);
}

/* The moments before and after an access at which its thread could have been ordered with others:
 * where its state began and ended. Hollow. */
static void paint_nearest(const struct reel_scene *scene, struct reel_painter *painter,
                          const struct reel_finding_mark *finding)
{
    for (guint i = 0; i < finding->evidence->len && i < 8; i++) {
        const struct reel_evidence_mark *evidence = evidence_at(finding, i);
        const struct reel_lane *lane = reel_document_thread_lane(scene->document, evidence->thread);
        double y = reel_scene_lane_y(scene, lane_of_thread(scene, evidence->thread));
        size_t at = lane ? reel_lane_data_at(&lane->data, evidence->time_ns) : 0;
        if (!lane || y < 0 || at == lane->data.count)
            continue;
        for (size_t edge = at; edge <= at + 1; edge++) {
            double x = reel_scene_x(scene, lane->data.start[edge]);
            const double points[] = {x, y - 5, x + 5, y, x, y + 5, x - 5, y, x, y - 5};
            if (in_view(scene, x))
                painter->class->path(painter, points, 5, FALSE, 1.5, 0, &scene->palette->finding);
        }
    }
}

static void paint_in_full(const struct reel_scene *scene, struct reel_painter *painter,
                          const struct reel_finding_mark *finding)
{
    const char *kind = finding->kind;
    gboolean observed = is_observed(finding);
    if ((g_str_equal(kind, "deadlock") || g_str_equal(kind, "hang")) && observed)
        paint_deadlock(scene, painter, finding);
    else if (g_str_equal(kind, "convoy") || g_str_equal(kind, "gil") ||
             g_str_equal(kind, "contention")) {
        paint_bracket(scene, painter, finding);
        return;
    }
    if (g_str_equal(kind, "race"))
        paint_nearest(scene, painter, finding);
    paint_evidence(scene, painter, finding,
                   g_str_equal(kind, "race") || (g_str_equal(kind, "deadlock") && !observed));
}

void reel_scene_paint_findings(const struct reel_scene *scene, struct reel_painter *painter)
{
    for (guint i = 0; i < reel_document_finding_count(scene->document); i++) {
        const struct reel_finding_mark *finding = reel_document_finding(scene->document, i);
        if (finding != scene->finding && g_strcmp0(finding->severity, "info") != 0)
            paint_mark(scene, painter, finding);
    }
    const GArray *gaps = reel_document_gaps(scene->document);
    for (guint i = 0; gaps && i < gaps->len; i++) {
        const struct reel_gap_mark *gap = &g_array_index(gaps, struct reel_gap_mark, i);
        double left = reel_scene_x(scene, gap->start_ns), right = reel_scene_x(scene, gap->end_ns);
        if (gap->thread || right < REEL_TIMELINE_NAMES || left > scene->width)
            continue; /* a thread's gap is a state of its lane */
        GdkRGBA tint = scene->palette->role[REEL_STATE_ROLE_GAP];
        tint.alpha = 0.35f;
        reel_paint_rect(painter, left, scene->top, MAX(right - left, 2), scene->height, &tint);
    }
    if (scene->finding)
        paint_in_full(scene, painter, scene->finding);
}
