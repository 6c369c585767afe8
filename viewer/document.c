#include "viewer/document.h"

#include "viewer/content_outline.h"
#include "viewer/snapshot.h"

#define CHECKED_AT_ONCE_MOST 3000000 /* events: about half a second */
#define OUTLINED_FROM        400000  /* events: less is there before the eye has found its way */

/* What reading a trace yields besides its content. */
struct reading {
    char *copy; /* sealed, of an unfinished trace; NULL: none was needed */
    gboolean unfinished, recorded;
    struct reel_content *content;
};

struct _ReelDocument {
    GObject parent_instance;
    char *origin;
    struct reading reading;
    double progress;
    GCancellable *cancellable;
    struct reel_content *content; /* `reading`'s; NULL until loaded */
    gboolean wants_outline;
    ReelDocument *outline; /* while it is being read */
    gboolean is_outline;
    char *path; /* of an outline: what is read; NULL: as `reading` has it */
};

enum { PROPERTY_PROGRESS = 1 };
enum { SIGNAL_LOADED, SIGNAL_OUTLINED, SIGNAL_FILLED, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

G_DEFINE_FINAL_TYPE(ReelDocument, reel_document, G_TYPE_OBJECT)

/* What the worker tells the main thread on its way. One of them. */
struct note {
    GWeakRef document;
    double progress;
    struct reel_content *outline;
    char *path; /* of what is read, with `outline` */
    struct reel_outline_step *step;
};

static ReelDocument *outline_new(ReelDocument *self, struct note *note);

static gboolean take_note(gpointer data)
{
    struct note *note = data;
    g_autoptr(ReelDocument) self = g_weak_ref_get(&note->document);
    gboolean is_reading = self && !self->content && !g_cancellable_is_cancelled(self->cancellable);
    if (is_reading && note->progress > self->progress) {
        self->progress = note->progress;
        g_object_notify(G_OBJECT(self), "progress");
    }
    if (is_reading && note->outline) {
        self->outline = outline_new(self, note);
        g_signal_emit(self, signals[SIGNAL_OUTLINED], 0, self->outline);
    }
    if (is_reading && note->step && self->outline) {
        reel_content_add_step(self->outline->content, note->step);
        g_signal_emit(self->outline, signals[SIGNAL_FILLED], 0);
    }
    return G_SOURCE_REMOVE;
}

static void note_free(gpointer data)
{
    struct note *note = data;
    g_weak_ref_clear(&note->document);
    reel_content_free(note->outline);
    reel_outline_step_free(note->step);
    g_free(note->path);
    g_free(note);
}

/* Below drawing, so that what comes often does not keep the window from it. */
static void send_note(GTask *task, const struct note *from)
{
    struct note *note = g_memdup2(from, sizeof *note);
    g_weak_ref_init(&note->document, g_task_get_source_object(task));
    g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, take_note, note, note_free);
}

static void note_progress(gpointer task, double share)
{
    send_note(task, &(struct note){.progress = share});
}

static void note_step(gpointer task, struct reel_outline_step *step)
{
    send_note(task, &(struct note){.step = step});
}

static void reading_free(gpointer data)
{
    struct reading *reading = data;
    reel_content_free(reading->content);
    reel_snapshot_remove(reading->copy);
    g_free(reading);
}

/* Content of a trace that may have to be sealed and checked first. */
static gboolean read_trace(struct reading *reading, const char *origin,
                           const struct reel_content_options *options, GError **error)
{
    enum reel_trace_state state;
    if (!reel_snapshot_state(origin, &state, error))
        return FALSE;
    reading->unfinished = state == REEL_TRACE_RECORDING;
    if (state != REEL_TRACE_SEALED &&
        !(reading->copy = reel_snapshot_take(origin, &reading->recorded, error)))
        return FALSE;
    const char *path = reading->copy ? reading->copy : origin;
    struct reel_content_options own = *options;
    if (own.step) {
        struct note note = {.path = g_strdup(path)};
        note.outline = reel_content_read_outline(path, OUTLINED_FROM, &own.shape);
        if (note.outline)
            send_note(own.data, &note);
        else
            g_free(note.path);
    }
    /* Not being able to check is no reason not to show. */
    if (reel_snapshot_wants_check(path, CHECKED_AT_ONCE_MOST))
        reel_snapshot_check(path, NULL);
    own.keep = !reading->copy;
    reading->content = reel_content_read(path, &own, error);
    return reading->content != NULL;
}

static void load_in_worker(GTask *task, gpointer source, gpointer task_data,
                           GCancellable *cancellable)
{
    const struct reel_content_options options = {
        .cancellable = cancellable,
        .progress = note_progress,
        .step = REEL_DOCUMENT(source)->wants_outline ? note_step : NULL,
        .data = task,
    };
    struct reading *reading = g_new0(struct reading, 1);
    GError *error = NULL;
    if (read_trace(reading, task_data, &options, &error)) {
        g_task_return_pointer(task, reading, reading_free);
    } else {
        reading_free(reading);
        g_task_return_error(task, error);
    }
}

static void adopt(ReelDocument *self, struct reading *reading)
{
    self->reading = *reading;
    self->content = reading->content;
    g_free(reading);
}

static void loaded(GObject *source, GAsyncResult *result, gpointer data)
{
    (void)data;
    ReelDocument *self = REEL_DOCUMENT(source);
    g_autoptr(GError) error = NULL;
    struct reading *reading = g_task_propagate_pointer(G_TASK(result), &error);
    if (reading) {
        adopt(self, reading);
        g_clear_object(&self->outline);
        self->progress = 1.0;
        g_object_notify(source, "progress");
    }
    g_signal_emit(self, signals[SIGNAL_LOADED], 0, error ? error->message : NULL);
}

static ReelDocument *outline_new(ReelDocument *self, struct note *note)
{
    ReelDocument *outline = reel_document_new(self->origin);
    outline->content = outline->reading.content = g_steal_pointer(&note->outline);
    outline->path = g_steal_pointer(&note->path);
    outline->is_outline = TRUE;
    return outline;
}

void reel_document_load(ReelDocument *self, gboolean outlined)
{
    g_return_if_fail(REEL_IS_DOCUMENT(self));
    self->wants_outline = outlined;
    g_autoptr(GTask) task = g_task_new(self, self->cancellable, loaded, NULL);
    g_task_set_task_data(task, g_strdup(self->origin), g_free);
    g_task_run_in_thread(task, load_in_worker);
}

void reel_document_cancel(ReelDocument *self)
{
    g_cancellable_cancel(self->cancellable);
}

gboolean reel_document_load_now(ReelDocument *self, GError **error)
{
    const struct reel_content_options options = {0};
    struct reading *reading = g_new0(struct reading, 1);
    if (!read_trace(reading, self->origin, &options, error)) {
        reading_free(reading);
        return FALSE;
    }
    adopt(self, reading);
    return TRUE;
}

static void reel_document_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    if (id == PROPERTY_PROGRESS)
        g_value_set_double(value, REEL_DOCUMENT(object)->progress);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void reel_document_dispose(GObject *object)
{
    ReelDocument *self = REEL_DOCUMENT(object);
    if (self->cancellable)
        g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->outline);
    G_OBJECT_CLASS(reel_document_parent_class)->dispose(object);
}

static void reel_document_finalize(GObject *object)
{
    ReelDocument *self = REEL_DOCUMENT(object);
    reel_content_free(self->reading.content);
    reel_snapshot_remove(self->reading.copy);
    g_free(self->origin);
    g_free(self->path);
    G_OBJECT_CLASS(reel_document_parent_class)->finalize(object);
}

static void reel_document_class_init(ReelDocumentClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    object_class->get_property = reel_document_get_property;
    object_class->dispose = reel_document_dispose;
    object_class->finalize = reel_document_finalize;
    g_object_class_install_property(object_class, PROPERTY_PROGRESS,
                                    g_param_spec_double("progress", NULL, NULL, 0, 1, 0,
                                                        G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    signals[SIGNAL_LOADED] = g_signal_new("loaded", REEL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_OUTLINED] = g_signal_new("outlined", REEL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0,
                                            NULL, NULL, NULL, G_TYPE_NONE, 1, REEL_TYPE_DOCUMENT);
    signals[SIGNAL_FILLED] = g_signal_new("filled", REEL_TYPE_DOCUMENT, G_SIGNAL_RUN_LAST, 0, NULL,
                                          NULL, NULL, G_TYPE_NONE, 0);
}

static void reel_document_init(ReelDocument *self)
{
    self->cancellable = g_cancellable_new();
}

ReelDocument *reel_document_new(const char *path)
{
    ReelDocument *self = g_object_new(REEL_TYPE_DOCUMENT, NULL);
    self->origin = g_strdup(path);
    return self;
}

const char *reel_document_path(ReelDocument *self)
{
    return self->path ? self->path : self->reading.copy ? self->reading.copy : self->origin;
}

const char *reel_document_origin(ReelDocument *self)
{
    return self->origin;
}

gboolean reel_document_is_unfinished(ReelDocument *self)
{
    return self->reading.unfinished;
}

gboolean reel_document_is_loaded(ReelDocument *self)
{
    return self->content != NULL;
}

gboolean reel_document_is_outline(ReelDocument *self)
{
    return self->is_outline;
}

gboolean reel_document_is_recorded(ReelDocument *self)
{
    return self->reading.recorded;
}

uint64_t reel_document_start_ns(ReelDocument *self)
{
    return self->content ? self->content->start_ns : 0;
}

uint64_t reel_document_end_ns(ReelDocument *self)
{
    return self->content ? self->content->end_ns : 0;
}

uint64_t reel_document_first_look_ns(ReelDocument *self)
{
    return self->content ? self->content->first_look_ns : 0;
}

const char *reel_document_summary(ReelDocument *self)
{
    return self->content ? self->content->summary : "";
}

guint reel_document_lane_count(ReelDocument *self)
{
    return self->content ? self->content->lanes->len : 0;
}

const struct reel_lane *reel_document_lane(ReelDocument *self, guint index)
{
    g_return_val_if_fail(self->content && index < self->content->lanes->len, NULL);
    return self->content->lanes->pdata[index];
}

const struct reel_lane *reel_document_thread_lane(ReelDocument *self, uint32_t thread)
{
    return self->content ? g_hash_table_lookup(self->content->by_thread, GUINT_TO_POINTER(thread))
                         : NULL;
}

const struct reel_lane *reel_document_object_lane(ReelDocument *self, uint32_t object)
{
    return self->content ? g_hash_table_lookup(self->content->by_object, GUINT_TO_POINTER(object))
                         : NULL;
}

guint reel_document_lane_index(ReelDocument *self, const struct reel_lane *lane)
{
    guint index;
    return lane && self->content && g_ptr_array_find(self->content->lanes, lane, &index)
               ? index
               : G_MAXUINT;
}

const char *reel_document_object_name(ReelDocument *self, uint32_t object)
{
    const char *name =
        self->content ? g_hash_table_lookup(self->content->object_names, GUINT_TO_POINTER(object))
                      : NULL;
    return name ? name : "";
}

guint reel_document_finding_count(ReelDocument *self)
{
    return self->content ? self->content->findings->len : 0;
}

const struct reel_finding_mark *reel_document_finding(ReelDocument *self, guint index)
{
    g_return_val_if_fail(self->content && index < self->content->findings->len, NULL);
    return self->content->findings->pdata[index];
}

const GArray *reel_document_gaps(ReelDocument *self)
{
    return self->content ? self->content->gaps : NULL;
}

gboolean reel_document_is_checked(ReelDocument *self)
{
    return self->content && self->content->checked;
}
