#include "viewer/session.h"

#define NARROWEST_NS 10u
#define PLAY_MS      33u

struct range {
    uint64_t from, to;
};

struct _ReelSession {
    GObject parent_instance;
    ReelDocument *document;
    uint64_t from, to, cursor;
    guint lane, finding, stack;
    gboolean playing;
    double speed;
    guint play_source;
    gint64 play_time; /* µs, of the last tick */
    GArray *history;  /* struct range */
    uint64_t select_from, select_to;
    char *filter;
    ReelLaneList *lanes;
    ReelViewFile *view_file;
    guint history_at;
};

enum {
    P_DOCUMENT = 1,
    P_FROM,
    P_TO,
    P_CURSOR,
    P_LANE,
    P_FINDING,
    P_SELECTION_FROM,
    P_SELECTION_TO,
    P_FILTER,
    P_STACK,
    P_PLAYING,
    P_SPEED,
    P_COUNT
};
static GParamSpec *properties[P_COUNT];

G_DEFINE_FINAL_TYPE(ReelSession, reel_session, G_TYPE_OBJECT)

ReelDocument *reel_session_document(ReelSession *self)
{
    return self->document;
}

uint64_t reel_session_from(ReelSession *self)
{
    return self->from;
}

uint64_t reel_session_to(ReelSession *self)
{
    return self->to;
}

uint64_t reel_session_cursor(ReelSession *self)
{
    return self->cursor;
}

guint reel_session_lane(ReelSession *self)
{
    return self->lane;
}

guint reel_session_stack(ReelSession *self)
{
    return self->stack;
}

gboolean reel_session_is_playing(ReelSession *self)
{
    return self->playing;
}

double reel_session_speed(ReelSession *self)
{
    return self->speed;
}

static void notify(ReelSession *self, int property)
{
    g_object_notify_by_pspec(G_OBJECT(self), properties[property]);
}

static void set_range(ReelSession *self, uint64_t from, uint64_t to)
{
    uint64_t first = 0, last = 1000000000;
    if (self->document && reel_document_is_loaded(self->document)) {
        first = reel_document_start_ns(self->document);
        last = MAX(reel_document_end_ns(self->document), first + NARROWEST_NS);
    }
    uint64_t width = CLAMP(to > from ? to - from : 0, NARROWEST_NS, last - first);
    from = CLAMP(from, first, last - width);
    to = from + width;
    if (from == self->from && to == self->to)
        return;
    g_object_freeze_notify(G_OBJECT(self));
    self->from = from;
    self->to = to;
    notify(self, P_FROM);
    notify(self, P_TO);
    g_object_thaw_notify(G_OBJECT(self));
}

static void remember(ReelSession *self)
{
    struct range range = {self->from, self->to};
    if (self->history->len &&
        self->history_at + 1 < self->history->len) /* what was forward of here is no more */
        g_array_set_size(self->history, self->history_at + 1);
    if (self->history->len > 200)
        g_array_remove_index(self->history, 0);
    g_array_append_val(self->history, range);
    self->history_at = self->history->len - 1;
}

void reel_session_show_range(ReelSession *self, uint64_t from_ns, uint64_t to_ns)
{
    set_range(self, from_ns, to_ns);
    remember(self);
}

void reel_session_show_all(ReelSession *self)
{
    reel_session_show_range(self, 0, UINT64_MAX);
}

void reel_session_zoom(ReelSession *self, double factor, uint64_t at_ns)
{
    double width = (double)(self->to - self->from) * factor;
    double left = at_ns > self->from ? (double)(at_ns - self->from) * factor : 0;
    double from = (double)at_ns - left;
    uint64_t start = from > 0 ? (uint64_t)from : 0;
    set_range(self, start, start + (uint64_t)MAX(width, (double)NARROWEST_NS));
}

void reel_session_pan(ReelSession *self, double share)
{
    double width = (double)(self->to - self->from), by = width * share;
    double from = MAX((double)self->from + by, 0);
    set_range(self, (uint64_t)from, (uint64_t)(from + width));
}

void reel_session_back(ReelSession *self)
{
    if (self->history_at == 0)
        return;
    const struct range *range = &g_array_index(self->history, struct range, --self->history_at);
    set_range(self, range->from, range->to);
}

void reel_session_forward(ReelSession *self)
{
    if (self->history_at + 1 >= self->history->len)
        return;
    const struct range *range = &g_array_index(self->history, struct range, ++self->history_at);
    set_range(self, range->from, range->to);
}

void reel_session_set_cursor(ReelSession *self, uint64_t ns, gboolean reveal)
{
    if (self->document && reel_document_is_loaded(self->document))
        ns =
            CLAMP(ns, reel_document_start_ns(self->document), reel_document_end_ns(self->document));
    if (reveal && (ns < self->from || ns >= self->to)) {
        uint64_t width = self->to - self->from;
        uint64_t from = ns > width / 2 ? ns - width / 2 : 0;
        set_range(self, from, from + width);
    }
    if (ns == self->cursor)
        return;
    self->cursor = ns;
    notify(self, P_CURSOR);
}

void reel_session_set_lane(ReelSession *self, guint index)
{
    if (index == self->lane)
        return;
    self->lane = index;
    notify(self, P_LANE);
}

static guint laneless_signal;

static gboolean select_lane(ReelSession *self, const struct reel_lane *lane)
{
    guint index = self->document ? reel_document_lane_index(self->document, lane) : G_MAXUINT;
    if (index == G_MAXUINT)
        return FALSE;
    reel_lane_list_reveal(self->lanes, index);
    reel_session_set_lane(self, index);
    return TRUE;
}

gboolean reel_session_select_object(ReelSession *self, uint32_t object)
{
    if (!self->document)
        return FALSE;
    if (select_lane(self, reel_document_object_lane(self->document, object)))
        return TRUE;
    g_signal_emit(self, laneless_signal, 0, object);
    return FALSE;
}

gboolean reel_session_select_thread(ReelSession *self, uint32_t thread)
{
    return self->document && select_lane(self, reel_document_thread_lane(self->document, thread));
}

ReelLaneList *reel_session_lanes(ReelSession *self)
{
    return self->lanes;
}

ReelViewFile *reel_session_view_file(ReelSession *self)
{
    return self->view_file;
}

guint reel_session_finding(ReelSession *self)
{
    return self->finding;
}

void reel_session_set_finding(ReelSession *self, guint index)
{
    guint count = self->document ? reel_document_finding_count(self->document) : 0;
    if (index >= count)
        index = G_MAXUINT;
    if (index == self->finding)
        return;
    self->finding = index;
    notify(self, P_FINDING);
}

void reel_session_go_to_finding(ReelSession *self, guint index)
{
    guint count = self->document ? reel_document_finding_count(self->document) : 0;
    if (index >= count)
        return;
    const struct reel_finding_mark *finding = reel_document_finding(self->document, index);
    reel_session_set_finding(self, index);
    uint64_t first = finding->time_ns, last = MAX(finding->time_ns, finding->end_ns);
    for (guint i = 0; i < finding->evidence->len; i++) {
        const struct reel_evidence_mark *evidence =
            &g_array_index(finding->evidence, struct reel_evidence_mark, i);
        if (!evidence->time_ns)
            continue;
        first = first ? MIN(first, evidence->time_ns) : evidence->time_ns;
        last = MAX(last, evidence->time_ns);
    }
    if (first) {
        uint64_t margin = (last - first) / 4 + 20000;
        reel_session_show_range(self, first > margin ? first - margin : 0, last + margin);
    }
    if (finding->time_ns)
        reel_session_set_cursor(self, finding->time_ns, TRUE);
    if (finding->threads->len)
        reel_session_select_thread(self, g_array_index(finding->threads, uint32_t, 0));
    else if (finding->objects->len)
        reel_session_select_object(self, g_array_index(finding->objects, uint32_t, 0));
}

void reel_session_selection(ReelSession *self, uint64_t *from_ns, uint64_t *to_ns)
{
    *from_ns = self->select_from;
    *to_ns = self->select_to;
}

void reel_session_select_range(ReelSession *self, uint64_t from_ns, uint64_t to_ns)
{
    if (from_ns > to_ns) {
        uint64_t swapped = from_ns;
        from_ns = to_ns;
        to_ns = swapped;
    }
    if (from_ns == self->select_from && to_ns == self->select_to)
        return;
    g_object_freeze_notify(G_OBJECT(self));
    self->select_from = from_ns;
    self->select_to = to_ns;
    notify(self, P_SELECTION_FROM);
    notify(self, P_SELECTION_TO);
    g_object_thaw_notify(G_OBJECT(self));
}

const char *reel_session_filter(ReelSession *self)
{
    return self->filter;
}

void reel_session_set_filter(ReelSession *self, const char *filter)
{
    if (g_str_equal(self->filter, filter))
        return;
    g_free(self->filter);
    self->filter = g_strdup(filter);
    notify(self, P_FILTER);
}

void reel_session_set_stack(ReelSession *self, guint stack)
{
    if (stack == self->stack)
        return;
    self->stack = stack;
    notify(self, P_STACK);
}

/* The next boundary of one lane after (before) `ns`; UINT64_MAX: there is none. */
static uint64_t boundary(const struct reel_lane *lane, uint64_t ns, int direction)
{
    const struct reel_lane_data *data = &lane->data;
    if (lane->kind == REEL_LANE_QUEUE)
        return reel_depth_data_change(&lane->depth, ns, direction);
    if (data->count == 0)
        return UINT64_MAX;
    if (direction > 0) {
        if (ns < data->start[0])
            return data->start[0];
        size_t at = reel_lane_data_at(data, ns);
        return at < data->count ? data->start[at + 1] : UINT64_MAX;
    }
    if (ns > data->start[data->count])
        return data->start[data->count];
    if (ns <= data->start[0])
        return UINT64_MAX;
    size_t at = reel_lane_data_at(data, ns - 1);
    return at < data->count ? data->start[at] : UINT64_MAX;
}

void reel_session_step(ReelSession *self, int direction, guint only)
{
    uint64_t best = UINT64_MAX;
    guint count = self->document ? reel_document_lane_count(self->document) : 0;
    for (guint i = 0; i < count; i++) {
        const struct reel_lane *lane = reel_document_lane(self->document, i);
        if (only != G_MAXUINT ? i != only : lane->kind != REEL_LANE_THREAD)
            continue;
        uint64_t candidate = boundary(lane, self->cursor, direction);
        if (candidate == UINT64_MAX)
            continue;
        if (best == UINT64_MAX || (direction > 0 ? candidate < best : candidate > best))
            best = candidate;
    }
    if (best != UINT64_MAX)
        reel_session_set_cursor(self, best, TRUE);
}

void reel_session_step_finding(ReelSession *self, int direction)
{
    guint best = G_MAXUINT;
    uint64_t best_time = 0;
    guint count = self->document ? reel_document_finding_count(self->document) : 0;
    for (guint i = 0; i < count; i++) {
        uint64_t time = reel_document_finding(self->document, i)->time_ns;
        if (!time || (direction > 0 ? time <= self->cursor : time >= self->cursor))
            continue;
        if (best == G_MAXUINT || (direction > 0 ? time < best_time : time > best_time)) {
            best = i;
            best_time = time;
        }
    }
    if (best == G_MAXUINT)
        return;
    reel_session_set_finding(self, best);
    reel_session_set_cursor(self, best_time, TRUE);
}

static gboolean play_on(gpointer data)
{
    ReelSession *self = data;
    gint64 now = g_get_monotonic_time();
    double step = (double)(now - self->play_time) * 1000.0 * self->speed;
    self->play_time = now;
    uint64_t end = self->document ? reel_document_end_ns(self->document) : 0;
    reel_session_set_cursor(self, self->cursor + (uint64_t)MAX(step, 1.0), TRUE);
    if (self->cursor >= end) {
        self->play_source = 0;
        self->playing = FALSE;
        notify(self, P_PLAYING);
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

void reel_session_set_playing(ReelSession *self, gboolean playing)
{
    if (playing == self->playing || (playing && !self->document))
        return;
    self->playing = playing;
    if (playing) {
        if (self->cursor >= reel_document_end_ns(self->document))
            reel_session_set_cursor(self, 0, TRUE);
        self->play_time = g_get_monotonic_time();
        self->play_source = g_timeout_add(PLAY_MS, play_on, self);
    } else {
        g_clear_handle_id(&self->play_source, g_source_remove);
    }
    notify(self, P_PLAYING);
}

void reel_session_set_speed(ReelSession *self, double speed)
{
    speed = CLAMP(speed, 0.0001, 10.0);
    if (speed == self->speed)
        return;
    self->speed = speed;
    notify(self, P_SPEED);
}

void reel_session_set_document(ReelSession *self, ReelDocument *document)
{
    reel_session_set_playing(self, FALSE);
    if (!g_set_object(&self->document, document))
        return;
    g_clear_object(&self->lanes);
    g_clear_object(&self->view_file);
    if (document) {
        self->view_file = reel_view_file_new(reel_document_origin(document));
        self->lanes = reel_lane_list_new(document, self->view_file);
    }
    g_array_set_size(self->history, 0);
    self->history_at = 0;
    self->lane = self->finding = G_MAXUINT;
    self->stack = 0;
    self->from = self->to = self->select_from = self->select_to = 0;
    notify(self, P_DOCUMENT);
    reel_session_show_all(self);
    self->cursor = UINT64_MAX;
    reel_session_set_cursor(self, document ? reel_document_first_look_ns(document) : 0, FALSE);
}

/* The lane of the same thread or object in another reading of the trace. */
static guint same_lane(ReelDocument *document, const struct reel_lane *lane)
{
    for (guint i = 0; lane && i < reel_document_lane_count(document); i++) {
        const struct reel_lane *other = reel_document_lane(document, i);
        if (other->kind == lane->kind && other->id == lane->id &&
            (lane->id || g_str_equal(other->name, lane->name)))
            return i;
    }
    return G_MAXUINT;
}

static guint same_finding(ReelDocument *document, const struct reel_finding_mark *finding)
{
    for (guint i = 0; finding && i < reel_document_finding_count(document); i++)
        if (g_str_equal(reel_document_finding(document, i)->id, finding->id))
            return i;
    return G_MAXUINT;
}

void reel_session_update_document(ReelSession *self, ReelDocument *document, gboolean follow)
{
    ReelDocument *before = self->document;
    if (!before) {
        reel_session_set_document(self, document);
        return;
    }
    gboolean all =
        self->from == reel_document_start_ns(before) && self->to >= reel_document_end_ns(before);
    uint64_t from = self->from, to = self->to, cursor = self->cursor;
    guint lane = self->lane < reel_document_lane_count(before)
                     ? same_lane(document, reel_document_lane(before, self->lane))
                     : G_MAXUINT;
    guint finding = self->finding < reel_document_finding_count(before)
                        ? same_finding(document, reel_document_finding(before, self->finding))
                        : G_MAXUINT;
    g_object_freeze_notify(G_OBJECT(self));
    reel_session_set_document(self, document);
    if (!all) {
        uint64_t end = reel_document_end_ns(document);
        if (follow && end > to)
            set_range(self, end - MIN(to - from, end), end);
        else
            set_range(self, from, to);
    }
    reel_session_set_cursor(self, follow ? UINT64_MAX : cursor, FALSE);
    reel_session_set_lane(self, lane);
    reel_session_set_finding(self, finding);
    notify(self, P_FILTER); /* to be evaluated anew */
    g_object_thaw_notify(G_OBJECT(self));
}

static void reel_session_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    ReelSession *self = REEL_SESSION(object);
    switch (id) {
    case P_DOCUMENT:
        g_value_set_object(value, self->document);
        break;
    case P_FROM:
        g_value_set_uint64(value, self->from);
        break;
    case P_TO:
        g_value_set_uint64(value, self->to);
        break;
    case P_CURSOR:
        g_value_set_uint64(value, self->cursor);
        break;
    case P_LANE:
        g_value_set_uint(value, self->lane);
        break;
    case P_STACK:
        g_value_set_uint(value, self->stack);
        break;
    case P_FINDING:
        g_value_set_uint(value, self->finding);
        break;
    case P_SELECTION_FROM:
        g_value_set_uint64(value, self->select_from);
        break;
    case P_SELECTION_TO:
        g_value_set_uint64(value, self->select_to);
        break;
    case P_FILTER:
        g_value_set_string(value, self->filter);
        break;
    case P_PLAYING:
        g_value_set_boolean(value, self->playing);
        break;
    case P_SPEED:
        g_value_set_double(value, self->speed);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void reel_session_set_property(GObject *object, guint id, const GValue *value,
                                      GParamSpec *spec)
{
    ReelSession *self = REEL_SESSION(object);
    if (id == P_SPEED)
        reel_session_set_speed(self, g_value_get_double(value));
    else if (id == P_FILTER)
        reel_session_set_filter(self, g_value_get_string(value) ? g_value_get_string(value) : "");
    else if (id == P_PLAYING)
        reel_session_set_playing(self, g_value_get_boolean(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void reel_session_dispose(GObject *object)
{
    ReelSession *self = REEL_SESSION(object);
    g_clear_handle_id(&self->play_source, g_source_remove);
    g_clear_object(&self->lanes);
    g_clear_object(&self->view_file);
    g_clear_object(&self->document);
    G_OBJECT_CLASS(reel_session_parent_class)->dispose(object);
}

static void reel_session_finalize(GObject *object)
{
    g_array_free(REEL_SESSION(object)->history, TRUE);
    g_free(REEL_SESSION(object)->filter);
    G_OBJECT_CLASS(reel_session_parent_class)->finalize(object);
}

static void reel_session_class_init(ReelSessionClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
    const GParamFlags both = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
    object_class->get_property = reel_session_get_property;
    object_class->set_property = reel_session_set_property;
    object_class->dispose = reel_session_dispose;
    object_class->finalize = reel_session_finalize;
    properties[P_DOCUMENT] =
        g_param_spec_object("document", NULL, NULL, REEL_TYPE_DOCUMENT, readable);
    properties[P_FROM] = g_param_spec_uint64("from", NULL, NULL, 0, G_MAXUINT64, 0, readable);
    properties[P_TO] = g_param_spec_uint64("to", NULL, NULL, 0, G_MAXUINT64, 0, readable);
    properties[P_CURSOR] = g_param_spec_uint64("cursor", NULL, NULL, 0, G_MAXUINT64, 0, readable);
    properties[P_FINDING] =
        g_param_spec_uint("finding", NULL, NULL, 0, G_MAXUINT, G_MAXUINT, readable);
    properties[P_SELECTION_FROM] =
        g_param_spec_uint64("selection-from", NULL, NULL, 0, G_MAXUINT64, 0, readable);
    properties[P_SELECTION_TO] =
        g_param_spec_uint64("selection-to", NULL, NULL, 0, G_MAXUINT64, 0, readable);
    properties[P_FILTER] = g_param_spec_string("filter", NULL, NULL, "", both);
    properties[P_LANE] = g_param_spec_uint("lane", NULL, NULL, 0, G_MAXUINT, G_MAXUINT, readable);
    properties[P_STACK] = g_param_spec_uint("stack", NULL, NULL, 0, G_MAXUINT, 0, readable);
    properties[P_PLAYING] = g_param_spec_boolean("playing", NULL, NULL, FALSE, both);
    properties[P_SPEED] = g_param_spec_double("speed", NULL, NULL, 0.0001, 10.0, 0.01, both);
    g_object_class_install_properties(object_class, P_COUNT, properties);
    laneless_signal = g_signal_new("laneless", REEL_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                   NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void reel_session_init(ReelSession *self)
{
    self->lane = self->finding = G_MAXUINT;
    self->filter = g_strdup("");
    self->speed = 0.01;
    self->history = g_array_new(FALSE, FALSE, sizeof(struct range));
}

ReelSession *reel_session_new(void)
{
    return g_object_new(REEL_TYPE_SESSION, NULL);
}
