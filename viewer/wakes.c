#include "viewer/wakes.h"

#include "viewer/query_service.h"

#define ARROWS_MOST 200
#define ROWS_MOST   300000 /* intervals that may be searched for the arrows of what is in view */

enum { SLOT_WAIT = 1, SLOT_VIEW = 2, SLOT_POINT = 3 };

/* A wait and who was at its other end. */
struct wake {
    uint32_t thread, object, owner, ended_by;
    uint64_t start_ns, end_ns, ended_event;
};

struct question {
    uint32_t thread, object;
    uint64_t from_ns, to_ns;
};

struct _ReelWakes {
    GObject parent_instance;
    ReelSession *session;
    struct reel_query_service *service;
    struct wake wait;        /* at the cursor */
    struct question pointed; /* at, with the answer */
    struct wake pointed_wake;
    char *pointed_place;
    GArray *view;   /* struct wake, of what is in view */
    GArray *arrows; /* struct reel_scene_arrow */
    guint ask_source;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE(ReelWakes, reel_wakes, G_TYPE_OBJECT)

/* Intervals between two moments are among those closed between the key frames around them. */
#define AMONG                                                                                      \
    " FROM interval WHERE id > coalesce((SELECT value FROM keyframe WHERE time_ns <= ?1 AND "      \
    "kind = 4 ORDER BY time_ns DESC LIMIT 1), 0) AND id <= coalesce((SELECT value FROM keyframe "  \
    "WHERE time_ns > ?2 AND kind = 4 ORDER BY time_ns LIMIT 1), 9223372036854775807)"
#define WAKE                                                                                       \
    "SELECT thread, coalesce(object, 0), coalesce(owner, 0), coalesce(ended_by, 0), start_ns, "    \
    "end_ns, coalesce(ended_event, 0)" AMONG

static struct wake wake_of(sqlite3_stmt *row)
{
    return (struct wake){
        (uint32_t)sqlite3_column_int64(row, 0), (uint32_t)sqlite3_column_int64(row, 1),
        (uint32_t)sqlite3_column_int64(row, 2), (uint32_t)sqlite3_column_int64(row, 3),
        (uint64_t)sqlite3_column_int64(row, 4), (uint64_t)sqlite3_column_int64(row, 5),
        (uint64_t)sqlite3_column_int64(row, 6)};
}

static void bind(sqlite3_stmt *statement, const struct question *question, uint32_t id)
{
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)question->from_ns);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)question->to_ns);
    if (id)
        sqlite3_bind_int64(statement, 3, id);
}

/* In the worker: the one wait of a thread that lasts from `from_ns` to `to_ns`. */
static gpointer find_wait(struct reel_query *query, gpointer request)
{
    const struct question *question = request;
    sqlite3_stmt *row = reel_query_prepare(
        query, WAKE " AND thread = ?3 AND start_ns = ?1 AND end_ns = ?2 LIMIT 1");
    struct wake *wake = g_new0(struct wake, 1);
    if (row) {
        bind(row, question, question->thread);
        if (reel_query_step(query, row))
            *wake = wake_of(row);
    }
    sqlite3_finalize(row);
    return wake;
}

static gboolean too_many(struct reel_query *query, const struct question *question)
{
    sqlite3_stmt *row = reel_query_prepare(query, "SELECT max(id) - min(id)" AMONG);
    gint64 count = G_MAXINT64;
    if (row) {
        bind(row, question, 0);
        if (reel_query_step(query, row))
            count = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    return count > ROWS_MOST;
}

/* In the worker: what the thread ended of others' waits in view; or a lock's hand-overs. */
static gpointer find_view(struct reel_query *query, gpointer request)
{
    const struct question *question = request;
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct wake));
    if (too_many(query, question))
        return found;
    sqlite3_stmt *row = reel_query_prepare(
        query, question->thread
                   ? WAKE " AND ended_by = ?3 AND thread <> ?3 AND ended_event > 0 LIMIT 200"
                   : WAKE " AND object = ?3 AND ended_by > 0 AND ended_event > 0 LIMIT 200");
    if (row)
        bind(row, question, question->thread ? question->thread : question->object);
    while (row && reel_query_step(query, row)) {
        struct wake wake = wake_of(row);
        g_array_append_val(found, wake);
    }
    sqlite3_finalize(row);
    return found;
}

/* A wait with the place it is in. */
struct placed {
    struct wake wake;
    char *place;
};

static void placed_free(gpointer data)
{
    g_free(((struct placed *)data)->place);
    g_free(data);
}

/* In the worker. */
static gpointer find_placed(struct reel_query *query, gpointer request)
{
    const struct question *question = request;
    struct placed *placed = g_new0(struct placed, 1);
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT thread, coalesce(object, 0), coalesce(owner, 0), coalesce(ended_by, 0), "
               "start_ns, end_ns, coalesce(ended_event, 0), (SELECT text FROM stack_site s WHERE "
               "s.stack = interval.stack)" AMONG
               " AND thread = ?3 AND start_ns = ?1 AND end_ns = ?2 LIMIT 1");
    if (row) {
        bind(row, question, question->thread);
        if (reel_query_step(query, row)) {
            placed->wake = wake_of(row);
            placed->place = reel_query_text(row, 7);
        }
    }
    sqlite3_finalize(row);
    return placed;
}

static void placed_found(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelWakes *self = owner;
    const struct placed *placed = answer;
    (void)error;
    if (!placed)
        return;
    self->pointed_wake = placed->wake;
    g_free(self->pointed_place);
    self->pointed_place = g_strdup(placed->place);
    g_signal_emit(self, changed_signal, 0);
}

void reel_wakes_point(ReelWakes *self, uint32_t thread, uint64_t start_ns, uint64_t end_ns)
{
    const struct question question = {thread, 0, start_ns, end_ns};
    if (!self->service ||
        (question.thread == self->pointed.thread && question.from_ns == self->pointed.from_ns))
        return;
    self->pointed = question;
    self->pointed_wake = (struct wake){0};
    g_clear_pointer(&self->pointed_place, g_free);
    const struct reel_query_job job = {
        .run = find_placed,
        .answered = placed_found,
        .owner = self,
        .request = g_memdup2(&question, sizeof question),
        .free_request = g_free,
        .free_answer = placed_free,
    };
    reel_query_service_ask(self->service, SLOT_POINT, &job);
}

void reel_wakes_pointed(ReelWakes *self, uint32_t thread, uint64_t start_ns, uint32_t *ended_by,
                        const char **place)
{
    gboolean known =
        self->pointed_wake.thread == thread && thread && self->pointed_wake.start_ns == start_ns;
    *ended_by = known ? self->pointed_wake.ended_by : 0;
    *place = known ? self->pointed_place : NULL;
}

static void add_arrow(ReelWakes *self, const struct wake *wake)
{
    ReelDocument *document = reel_session_document(self->session);
    if (!wake->ended_by || !wake->ended_event || self->arrows->len >= ARROWS_MOST)
        return;
    const struct reel_lane *from = reel_document_thread_lane(document, wake->ended_by),
                           *to = reel_document_thread_lane(document, wake->thread);
    const struct reel_lane *object = reel_document_object_lane(document, wake->object);
    struct reel_scene_arrow arrow = {reel_document_lane_index(document, from),
                                     reel_document_lane_index(document, to), wake->ended_event,
                                     wake->end_ns, object && object->kind == REEL_LANE_LOCK};
    if (arrow.from_lane != G_MAXUINT && arrow.to_lane != G_MAXUINT &&
        arrow.from_lane != arrow.to_lane)
        g_array_append_val(self->arrows, arrow);
}

static void make_arrows(ReelWakes *self)
{
    g_array_set_size(self->arrows, 0);
    add_arrow(self, &self->wait);
    for (guint i = 0; self->view && i < self->view->len; i++)
        add_arrow(self, &g_array_index(self->view, struct wake, i));
    g_signal_emit(self, changed_signal, 0);
}

static void wait_found(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelWakes *self = owner;
    self->wait = answer ? *(const struct wake *)answer : (struct wake){0};
    (void)error;
    make_arrows(self);
}

static void view_found(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelWakes *self = owner;
    (void)error;
    g_clear_pointer(&self->view, g_array_unref);
    self->view = answer ? g_array_ref(answer) : NULL;
    make_arrows(self);
}

static void free_array(gpointer array)
{
    g_array_unref(array);
}

static void ask(ReelWakes *self, guint slot, struct question question)
{
    const struct reel_query_job job = {
        .run = slot == SLOT_WAIT ? find_wait : find_view,
        .answered = slot == SLOT_WAIT ? wait_found : view_found,
        .owner = self,
        .request = g_memdup2(&question, sizeof question),
        .free_request = g_free,
        .free_answer = slot == SLOT_WAIT ? g_free : free_array,
    };
    reel_query_service_ask(self->service, slot, &job);
}

static gboolean ask_now(gpointer data)
{
    ReelWakes *self = data;
    self->ask_source = 0;
    ReelDocument *document = reel_session_document(self->session);
    guint index = reel_session_lane(self->session);
    if (!document || !self->service || index >= reel_document_lane_count(document))
        return G_SOURCE_REMOVE;
    const struct reel_lane *lane = reel_document_lane(document, index);
    struct question view = {.from_ns = reel_session_from(self->session),
                            .to_ns = reel_session_to(self->session)};
    if (lane->kind == REEL_LANE_THREAD) {
        view.thread = lane->id;
        size_t at = reel_lane_data_at(&lane->data, reel_session_cursor(self->session));
        if (at < lane->data.count && lane->data.state[at] != REEL_LANE_NOTHING &&
            reel_state_waits((enum reel_state)lane->data.state[at]))
            ask(self, SLOT_WAIT,
                (struct question){lane->id, 0, lane->data.start[at], lane->data.start[at + 1]});
    } else if (lane->kind == REEL_LANE_LOCK || lane->kind == REEL_LANE_QUEUE) {
        view.object = lane->id;
    }
    if (view.thread || view.object)
        ask(self, SLOT_VIEW, view);
    return G_SOURCE_REMOVE;
}

static void on_change(ReelWakes *self)
{
    if (self->service) {
        reel_query_service_drop(self->service, SLOT_WAIT);
        reel_query_service_drop(self->service, SLOT_VIEW);
    }
    self->wait = (struct wake){0};
    g_clear_pointer(&self->view, g_array_unref);
    if (self->arrows->len)
        make_arrows(self);
    if (!self->ask_source) /* not while playing or dragging: when it rests */
        self->ask_source = g_timeout_add(60, ask_now, self);
}

static void on_document(ReelWakes *self)
{
    g_clear_pointer(&self->service, reel_query_service_free);
    ReelDocument *document = reel_session_document(self->session);
    if (document)
        self->service = reel_query_service_new(reel_document_path(document));
    on_change(self);
}

ReelWakes *reel_wakes_new(ReelSession *session)
{
    ReelWakes *self = g_object_new(REEL_TYPE_WAKES, NULL);
    self->session = session; /* who owns us owns it */
    g_signal_connect_object(session, "notify::document", G_CALLBACK(on_document), self,
                            G_CONNECT_SWAPPED);
    const char *const properties[] = {"notify::lane", "notify::cursor", "notify::from",
                                      "notify::to"};
    for (unsigned i = 0; i < G_N_ELEMENTS(properties); i++)
        g_signal_connect_object(session, properties[i], G_CALLBACK(on_change), self,
                                G_CONNECT_SWAPPED);
    return self;
}

const struct reel_scene_arrow *reel_wakes_arrows(ReelWakes *self, guint *count)
{
    *count = self->arrows->len;
    return (const struct reel_scene_arrow *)(void *)self->arrows->data;
}

uint32_t reel_wakes_waker(ReelWakes *self, uint64_t *time_ns)
{
    *time_ns = self->wait.ended_event;
    return self->wait.ended_by;
}

uint32_t reel_wakes_owner(ReelWakes *self)
{
    return self->wait.owner;
}

static void reel_wakes_dispose(GObject *object)
{
    ReelWakes *self = REEL_WAKES(object);
    g_clear_handle_id(&self->ask_source, g_source_remove);
    g_clear_pointer(&self->service, reel_query_service_free);
    g_clear_pointer(&self->view, g_array_unref);
    g_clear_pointer(&self->arrows, g_array_unref);
    g_clear_pointer(&self->pointed_place, g_free);
    G_OBJECT_CLASS(reel_wakes_parent_class)->dispose(object);
}

static void reel_wakes_class_init(ReelWakesClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_wakes_dispose;
    changed_signal = g_signal_new("changed", REEL_TYPE_WAKES, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
}

static void reel_wakes_init(ReelWakes *self)
{
    self->arrows = g_array_new(FALSE, FALSE, sizeof(struct reel_scene_arrow));
}
