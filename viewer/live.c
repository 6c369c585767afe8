#include "viewer/live.h"

#include <glib/gstdio.h>

#include "viewer/snapshot.h"

#define LEAST_MS 400

struct _ReelLive {
    GObject parent_instance;
    ReelDocument *document, *next; /* next: being read */
    GCancellable *cancellable;
    guint source;
    gboolean follows;
    guint idle_looks;
    gint64 began_us;    /* of the reading under way */
    gint64 size, mtime; /* of the file and its log, when last read */
};

static guint refreshed_signal;

G_DEFINE_FINAL_TYPE(ReelLive, reel_live, G_TYPE_OBJECT)

static void look_in(ReelLive *self, guint ms);

/* Whether the trace has changed since it was last asked. */
static gboolean has_changed(ReelLive *self)
{
    static const char *const suffixes[] = {"", "-wal"};
    gint64 size = 0, mtime = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path =
            g_strconcat(reel_document_origin(self->document), suffixes[i], NULL);
        GStatBuf file;
        if (g_stat(path, &file) != 0)
            continue;
        size += file.st_size;
        mtime = MAX(mtime, file.st_mtim.tv_sec * 1000 + file.st_mtim.tv_nsec / 1000000);
    }
    gboolean changed = size != self->size || mtime != self->mtime;
    self->size = size;
    self->mtime = mtime;
    return changed;
}

static void on_loaded(ReelDocument *next, const char *error, gpointer data)
{
    ReelLive *self = data;
    guint took_ms = (guint)((g_get_monotonic_time() - self->began_us) / 1000);
    if (next != self->next)
        return;
    if (!error) {
        g_set_object(&self->document, next);
        g_signal_emit(self, refreshed_signal, 0, next);
    }
    g_clear_object(&self->next);
    if (error || reel_document_is_unfinished(self->document))
        look_in(self, MAX(LEAST_MS, 4 * took_ms));
}

void reel_live_look(ReelLive *self)
{
    if (self->next)
        return;
    self->began_us = g_get_monotonic_time();
    self->next = reel_document_new(reel_document_origin(self->document));
    g_signal_connect_object(self->next, "loaded", G_CALLBACK(on_loaded), self, 0);
    reel_document_load(self->next, FALSE);
}

static gboolean look(gpointer data)
{
    ReelLive *self = data;
    self->source = 0;
    /* While nothing happens time passes all the same. */
    if (has_changed(self) || ++self->idle_looks % 5 == 0)
        reel_live_look(self);
    else
        look_in(self, LEAST_MS);
    return G_SOURCE_REMOVE;
}

static void look_in(ReelLive *self, guint ms)
{
    if (!self->source)
        self->source = g_timeout_add(ms, look, self);
}

static void check_in_worker(GTask *task, gpointer source, gpointer path, GCancellable *cancellable)
{
    (void)source;
    (void)cancellable;
    g_task_return_boolean(task, reel_snapshot_check(path, NULL));
}

static void checked(GObject *source, GAsyncResult *result, gpointer data)
{
    (void)data;
    if (g_task_propagate_boolean(G_TASK(result), NULL))
        reel_live_look(REEL_LIVE(source));
}

ReelLive *reel_live_new(ReelDocument *document)
{
    ReelLive *self = g_object_new(REEL_TYPE_LIVE, NULL);
    self->document = g_object_ref(document);
    self->follows = reel_document_is_unfinished(document);
    has_changed(self);
    if (reel_document_is_unfinished(document)) {
        look_in(self, LEAST_MS);
    } else if (!reel_document_is_checked(document) &&
               g_access(reel_document_origin(document), W_OK) == 0) {
        /* Too large to be checked before it was shown. */
        g_autoptr(GTask) task = g_task_new(self, self->cancellable, checked, NULL);
        g_task_set_task_data(task, g_strdup(reel_document_path(document)), g_free);
        g_task_run_in_thread(task, check_in_worker);
    }
    return self;
}

gboolean reel_live_is_growing(ReelLive *self)
{
    return reel_document_is_unfinished(self->document);
}

gboolean reel_live_follows(ReelLive *self)
{
    return self->follows;
}

void reel_live_set_follows(ReelLive *self, gboolean follows)
{
    self->follows = follows;
}

static void reel_live_dispose(GObject *object)
{
    ReelLive *self = REEL_LIVE(object);
    g_clear_handle_id(&self->source, g_source_remove);
    g_cancellable_cancel(self->cancellable);
    if (self->next)
        reel_document_cancel(self->next);
    g_clear_object(&self->next);
    g_clear_object(&self->document);
    G_OBJECT_CLASS(reel_live_parent_class)->dispose(object);
}

static void reel_live_finalize(GObject *object)
{
    g_object_unref(REEL_LIVE(object)->cancellable);
    G_OBJECT_CLASS(reel_live_parent_class)->finalize(object);
}

static void reel_live_class_init(ReelLiveClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_live_dispose;
    G_OBJECT_CLASS(class)->finalize = reel_live_finalize;
    refreshed_signal = g_signal_new("refreshed", REEL_TYPE_LIVE, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                    NULL, G_TYPE_NONE, 1, REEL_TYPE_DOCUMENT);
}

static void reel_live_init(ReelLive *self)
{
    self->cancellable = g_cancellable_new();
}
