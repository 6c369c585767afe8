#include "viewer/view_file.h"

#include <stdlib.h>
#include <string.h>

#define BOOKMARKS_MOST 1000

struct _ReelViewFile {
    GObject parent_instance;
    char *beside, *elsewhere; /* where it may be */
    GKeyFile *keys;
    GArray *bookmarks; /* struct reel_bookmark */
    guint save_source;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE(ReelViewFile, reel_view_file, G_TYPE_OBJECT)

static void clear_bookmark(gpointer data)
{
    g_free(((struct reel_bookmark *)data)->note);
}

static void write_file(ReelViewFile *self)
{
    for (guint i = 0; i < self->bookmarks->len; i++) {
        const struct reel_bookmark *bookmark =
            &g_array_index(self->bookmarks, struct reel_bookmark, i);
        g_autofree char *key = g_strdup_printf("%" G_GUINT64_FORMAT, (guint64)bookmark->time_ns);
        g_key_file_set_string(self->keys, "bookmarks", key, bookmark->note);
    }
    gsize length;
    g_autofree char *text = g_key_file_to_data(self->keys, &length, NULL);
    if (g_file_set_contents(self->beside, text, (gssize)length, NULL))
        return;
    g_autofree char *folder = g_path_get_dirname(self->elsewhere);
    g_mkdir_with_parents(folder, 0700);
    g_file_set_contents(self->elsewhere, text, (gssize)length, NULL);
}

static gboolean save_now(gpointer data)
{
    ReelViewFile *self = data;
    self->save_source = 0;
    write_file(self);
    return G_SOURCE_REMOVE;
}

static void save_soon(ReelViewFile *self)
{
    if (!self->save_source)
        self->save_source = g_timeout_add(400, save_now, self);
}

static int compare_bookmarks(gconstpointer a, gconstpointer b)
{
    uint64_t left = ((const struct reel_bookmark *)a)->time_ns,
             right = ((const struct reel_bookmark *)b)->time_ns;
    return left < right ? -1 : left > right;
}

static void read_bookmarks(ReelViewFile *self)
{
    g_auto(GStrv) times = g_key_file_get_keys(self->keys, "bookmarks", NULL, NULL);
    for (guint i = 0; times && times[i] && i < BOOKMARKS_MOST; i++) {
        guint64 time;
        if (!g_ascii_string_to_unsigned(times[i], 10, 0, G_MAXINT64, &time, NULL))
            continue;
        char *note = g_key_file_get_string(self->keys, "bookmarks", times[i], NULL);
        struct reel_bookmark bookmark = {time, note ? note : g_strdup("")};
        g_array_append_val(self->bookmarks, bookmark);
    }
    g_array_sort(self->bookmarks, compare_bookmarks);
}

ReelViewFile *reel_view_file_new(const char *trace_path)
{
    ReelViewFile *self = g_object_new(REEL_TYPE_VIEW_FILE, NULL);
    g_autofree char *whole = g_canonicalize_filename(trace_path, NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
    self->beside = g_strdup_printf("%s-view", whole);
    self->elsewhere = g_build_filename(g_get_user_data_dir(), "reel", "views", hash, NULL);
    if (!g_key_file_load_from_file(self->keys, self->beside, G_KEY_FILE_NONE, NULL))
        g_key_file_load_from_file(self->keys, self->elsewhere, G_KEY_FILE_NONE, NULL);
    read_bookmarks(self);
    return self;
}

int reel_view_file_lane(ReelViewFile *self, const char *lane, const char *what)
{
    return g_key_file_get_integer(self->keys, lane, what, NULL);
}

void reel_view_file_set_lane(ReelViewFile *self, const char *lane, const char *what, int value)
{
    if (value == reel_view_file_lane(self, lane, what))
        return;
    if (value)
        g_key_file_set_integer(self->keys, lane, what, value);
    else
        g_key_file_remove_key(self->keys, lane, what, NULL);
    save_soon(self);
}

guint reel_view_file_bookmark_count(ReelViewFile *self)
{
    return self->bookmarks->len;
}

const struct reel_bookmark *reel_view_file_bookmark(ReelViewFile *self, guint index)
{
    return index < self->bookmarks->len
               ? &g_array_index(self->bookmarks, struct reel_bookmark, index)
               : NULL;
}

static void bookmarks_changed(ReelViewFile *self)
{
    g_key_file_remove_group(self->keys, "bookmarks", NULL);
    save_soon(self);
    g_signal_emit(self, changed_signal, 0);
}

void reel_view_file_add_bookmark(ReelViewFile *self, uint64_t time_ns, const char *note)
{
    for (guint i = 0; i < self->bookmarks->len; i++) {
        struct reel_bookmark *bookmark = &g_array_index(self->bookmarks, struct reel_bookmark, i);
        if (bookmark->time_ns != time_ns)
            continue;
        g_free(bookmark->note);
        bookmark->note = g_strdup(note);
        bookmarks_changed(self);
        return;
    }
    if (self->bookmarks->len >= BOOKMARKS_MOST)
        return;
    struct reel_bookmark bookmark = {time_ns, g_strdup(note)};
    g_array_append_val(self->bookmarks, bookmark);
    g_array_sort(self->bookmarks, compare_bookmarks);
    bookmarks_changed(self);
}

void reel_view_file_remove_bookmark(ReelViewFile *self, guint index)
{
    if (index >= self->bookmarks->len)
        return;
    g_array_remove_index(self->bookmarks, index);
    bookmarks_changed(self);
}

static void reel_view_file_finalize(GObject *object)
{
    ReelViewFile *self = REEL_VIEW_FILE(object);
    if (self->save_source) {
        g_source_remove(self->save_source);
        write_file(self);
    }
    g_key_file_unref(self->keys);
    g_array_unref(self->bookmarks);
    g_free(self->beside);
    g_free(self->elsewhere);
    G_OBJECT_CLASS(reel_view_file_parent_class)->finalize(object);
}

static void reel_view_file_class_init(ReelViewFileClass *class)
{
    G_OBJECT_CLASS(class)->finalize = reel_view_file_finalize;
    changed_signal = g_signal_new("bookmarks-changed", REEL_TYPE_VIEW_FILE, G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void reel_view_file_init(ReelViewFile *self)
{
    self->keys = g_key_file_new();
    self->bookmarks = g_array_new(FALSE, FALSE, sizeof(struct reel_bookmark));
    g_array_set_clear_func(self->bookmarks, clear_bookmark);
}
