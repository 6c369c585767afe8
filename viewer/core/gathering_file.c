#include "viewer/core/gathering_file.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC       0x326c656572ull /* "reel2" */
#define ALL_MOST    (2ull << 30)    /* bytes of all files together */
#define NUMBER_MOST (1u << 24)      /* threads, objects */

static char *folder_name(void)
{
    return g_build_filename(g_get_user_cache_dir(), "reel", "lanes", NULL);
}

static char *file_name(const char *trace_path)
{
    g_autofree char *folder = folder_name();
    g_autofree char *whole = g_canonicalize_filename(trace_path, NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
    return g_build_filename(folder, hash, NULL);
}

/* What the trace was when it was gathered. */
struct stamp {
    guint64 magic, size, seconds, nanoseconds;
};

static gboolean stamp_of(const char *trace_path, struct stamp *stamp)
{
    GStatBuf file;
    if (g_stat(trace_path, &file) != 0)
        return FALSE;
    *stamp = (struct stamp){MAGIC, (guint64)file.st_size, (guint64)file.st_mtim.tv_sec,
                            (guint64)file.st_mtim.tv_nsec};
    return TRUE;
}

/* Writing: numbers are of this machine; the file never leaves it. Every block begins at a multiple
 * of eight. */
static void put(FILE *file, const void *data, gsize bytes)
{
    static const char zeros[8];
    fwrite(data, 1, bytes, file);
    fwrite(zeros, 1, (8 - bytes % 8) % 8, file);
}

static void put_number(FILE *file, guint64 number)
{
    put(file, &number, sizeof number);
}

static void put_lane(FILE *file, const struct reel_lane_data *lane)
{
    put_number(file, lane->count);
    if (!lane->count)
        return;
    put(file, lane->start, (lane->count + 1) * sizeof *lane->start);
    put(file, lane->object, lane->count * sizeof *lane->object);
    put(file, lane->state, lane->count);
}

static void put_spans(FILE *file, const struct reel_spans *spans)
{
    guint count = spans->begin ? spans->begin->len : 0;
    put_number(file, count);
    if (!count)
        return;
    put(file, spans->begin->data, count * sizeof(uint64_t));
    put(file, spans->end->data, count * sizeof(uint64_t));
}

static void put_depth(FILE *file, const struct reel_depth_data *depth)
{
    put_number(file, depth->count);
    put_number(file, (guint64)depth->highest);
    if (!depth->count)
        return;
    put(file, depth->time, depth->count * sizeof *depth->time);
    put(file, depth->value, depth->count * sizeof *depth->value);
}

static guint count_of(const GPtrArray *array)
{
    guint count = 0;
    for (guint i = 0; i < array->len; i++)
        count += array->pdata[i] != NULL;
    return count;
}

static void put_all(FILE *file, const struct reel_gathering *gathering)
{
    put_number(file, count_of(gathering->threads));
    for (guint i = 0; i < gathering->threads->len; i++) {
        const struct reel_gathered_thread *thread = gathering->threads->pdata[i];
        if (!thread)
            continue;
        put_number(file, i);
        put_lane(file, &thread->states);
        put_lane(file, &thread->spans);
        put_spans(file, &thread->held);
    }
    put_number(file, count_of(gathering->objects));
    for (guint i = 0; i < gathering->objects->len; i++) {
        const struct reel_gathered_object *object = gathering->objects->pdata[i];
        if (!object)
            continue;
        put_number(file, i);
        put_lane(file, &object->owners);
        put_lane(file, &object->steps);
        put_spans(file, &object->waits);
        put_spans(file, &object->shared);
        put_depth(file, &object->depth);
    }
}

struct kept {
    char *path;
    gint64 used; /* seconds */
    guint64 size;
};

static void kept_clear(gpointer data)
{
    g_free(((struct kept *)data)->path);
}

static int compare_kept(gconstpointer a, gconstpointer b)
{
    gint64 left = ((const struct kept *)a)->used, right = ((const struct kept *)b)->used;
    return left < right ? -1 : left > right;
}

/* The oldest go until the rest fits. */
static void make_room(void)
{
    g_autofree char *folder = folder_name();
    g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(struct kept));
    guint64 all = 0;
    const char *name;
    g_array_set_clear_func(files, kept_clear);
    while (names && (name = g_dir_read_name(names))) {
        struct kept kept = {g_build_filename(folder, name, NULL), 0, 0};
        GStatBuf file;
        if (g_stat(kept.path, &file) == 0) {
            kept.used = file.st_mtime;
            kept.size = (guint64)file.st_size;
        }
        all += kept.size;
        g_array_append_val(files, kept);
    }
    g_array_sort(files, compare_kept);
    for (guint i = 0; i < files->len && all > ALL_MOST; i++) {
        const struct kept *kept = &g_array_index(files, struct kept, i);
        g_unlink(kept->path);
        all -= kept->size;
    }
}

void reel_gathering_keep(const struct reel_gathering *gathering, const char *trace_path)
{
    struct stamp stamp;
    if (!stamp_of(trace_path, &stamp))
        return;
    g_autofree char *path = file_name(trace_path), *folder = folder_name();
    g_autofree char *unfinished = g_strdup_printf("%s.%d", path, (int)getpid());
    g_mkdir_with_parents(folder, 0700);
    FILE *file = g_fopen(unfinished, "wbe");
    if (!file)
        return;
    put(file, &stamp, sizeof stamp);
    put_all(file, gathering);
    gboolean good = !ferror(file);
    good = fclose(file) == 0 && good && g_rename(unfinished, path) == 0;
    if (!good)
        g_unlink(unfinished);
    make_room();
}

/* Reading: what does not fit sets `bad`, and is not looked at any further. */
struct bytes {
    const uint8_t *at, *end;
    gboolean bad;
};

static const void *take(struct bytes *bytes, guint64 count, gsize size)
{
    guint64 left = (guint64)(bytes->end - bytes->at);
    if (bytes->bad || count > left / size) {
        bytes->bad = TRUE;
        return NULL;
    }
    guint64 length = count * size, padded = (length + 7) / 8 * 8;
    const void *data = bytes->at;
    bytes->at += MIN(padded, left);
    return data;
}

static guint64 take_number(struct bytes *bytes)
{
    const guint64 *number = take(bytes, 1, sizeof *number);
    return number ? *number : 0;
}

static gboolean ascends(const uint64_t *time, gsize count)
{
    gboolean good = TRUE;
    for (gsize i = 1; i < count; i++)
        good &= time[i - 1] <= time[i];
    return good;
}

static void take_lane(struct bytes *bytes, struct reel_lane_data *lane)
{
    guint64 count = take_number(bytes);
    if (!count)
        return;
    const uint64_t *start = take(bytes, count + 1, sizeof *start);
    const uint32_t *object = take(bytes, count, sizeof *object);
    const uint8_t *state = take(bytes, count, 1);
    if (bytes->bad || !ascends(start, count + 1)) {
        bytes->bad = TRUE;
        return;
    }
    /* The C library's memory: lane_data frees it. */
    lane->start = malloc((count + 1) * sizeof *start);
    lane->object = malloc(count * sizeof *object);
    lane->state = malloc(count);
    if (!lane->start || !lane->object || !lane->state) {
        bytes->bad = TRUE;
        return;
    }
    memcpy(lane->start, start, (count + 1) * sizeof *start);
    memcpy(lane->object, object, count * sizeof *object);
    memcpy(lane->state, state, count);
    for (guint64 i = 0; i < count; i++)
        if (state[i] >= REEL_STATE_COUNT && state[i] != REEL_LANE_NOTHING)
            bytes->bad = TRUE;
    lane->count = lane->capacity = count;
}

static void take_spans(struct bytes *bytes, struct reel_spans *spans)
{
    guint64 count = take_number(bytes);
    if (!count)
        return;
    const uint64_t *begin = take(bytes, count, sizeof *begin);
    const uint64_t *end = take(bytes, count, sizeof *end);
    if (bytes->bad || count > G_MAXUINT) {
        bytes->bad = TRUE;
        return;
    }
    spans->begin = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    spans->end = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_array_append_vals(spans->begin, begin, (guint)count);
    g_array_append_vals(spans->end, end, (guint)count);
}

static void take_depth(struct bytes *bytes, struct reel_depth_data *depth)
{
    guint64 count = take_number(bytes), highest = take_number(bytes);
    if (!count)
        return;
    const uint64_t *time = take(bytes, count, sizeof *time);
    const int32_t *value = take(bytes, count, sizeof *value);
    if (bytes->bad || !ascends(time, count)) {
        bytes->bad = TRUE;
        return;
    }
    depth->time = malloc(count * sizeof *time);
    depth->value = malloc(count * sizeof *value);
    if (!depth->time || !depth->value) {
        bytes->bad = TRUE;
        return;
    }
    memcpy(depth->time, time, count * sizeof *time);
    memcpy(depth->value, value, count * sizeof *value);
    depth->count = depth->capacity = count;
    depth->highest = (int32_t)MIN(highest, INT32_MAX);
}

/* The next number of a thread or object, and a place for it. */
static gpointer *place_of(struct bytes *bytes, GPtrArray *array)
{
    guint64 number = take_number(bytes);
    if (bytes->bad || number >= NUMBER_MOST) {
        bytes->bad = TRUE;
        return NULL;
    }
    if (number >= array->len)
        g_ptr_array_set_size(array, (gint)number + 1);
    if (array->pdata[number])
        bytes->bad = TRUE;
    return bytes->bad ? NULL : &array->pdata[number];
}

static void take_all(struct bytes *bytes, struct reel_gathering *gathering)
{
    for (guint64 left = take_number(bytes); left && !bytes->bad; left--) {
        gpointer *place = place_of(bytes, gathering->threads);
        if (!place)
            return;
        struct reel_gathered_thread *thread = *place = g_new0(struct reel_gathered_thread, 1);
        take_lane(bytes, &thread->states);
        take_lane(bytes, &thread->spans);
        take_spans(bytes, &thread->held);
    }
    for (guint64 left = take_number(bytes); left && !bytes->bad; left--) {
        gpointer *place = place_of(bytes, gathering->objects);
        if (!place)
            return;
        struct reel_gathered_object *object = *place = g_new0(struct reel_gathered_object, 1);
        object->step = REEL_LANE_NOTHING;
        take_lane(bytes, &object->owners);
        take_lane(bytes, &object->steps);
        take_spans(bytes, &object->waits);
        take_spans(bytes, &object->shared);
        take_depth(bytes, &object->depth);
    }
}

struct reel_gathering *reel_gathering_recall(const char *trace_path)
{
    struct stamp stamp, now;
    g_autofree char *path = file_name(trace_path);
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
    if (!file || !stamp_of(trace_path, &now) || g_mapped_file_get_length(file) < sizeof stamp)
        return NULL;
    memcpy(&stamp, g_mapped_file_get_contents(file), sizeof stamp);
    if (memcmp(&stamp, &now, sizeof stamp) != 0)
        return NULL;
    struct bytes bytes = {
        (const uint8_t *)g_mapped_file_get_contents(file) + sizeof stamp,
        (const uint8_t *)g_mapped_file_get_contents(file) + g_mapped_file_get_length(file), FALSE};
    struct reel_gathering *gathering = reel_gathering_new();
    take_all(&bytes, gathering);
    if (!bytes.bad)
        return gathering;
    reel_gathering_free(gathering);
    return NULL;
}
