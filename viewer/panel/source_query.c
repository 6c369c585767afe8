#include "viewer/panel/source_query.h"

#include <string.h>

#include "tracer/export/finding_report.h"

static void frame_clear(gpointer data)
{
    struct reel_source_frame *frame = data;
    g_free(frame->function);
    g_free(frame->file);
    g_free(frame->module);
}

void reel_source_frames_free(gpointer data)
{
    struct reel_source_frames *frames = data;
    g_array_unref(frames->frame);
    g_free(frames);
}

void reel_source_file_free(gpointer data)
{
    struct reel_source_file *file = data;
    g_free(file->asked);
    g_free(file->found);
    g_free(file->text);
    g_free(file->problem);
    g_free(file);
}

/* The thread's last event at or before the moment that has a stack. */
static uint32_t stack_at(struct reel_query *query, const struct reel_source_request *request)
{
    uint32_t stack = 0;
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT stack FROM event WHERE time_ns <= ?1 AND thread = ?2 AND stack IS NOT NULL "
               "ORDER BY time_ns DESC LIMIT 1");
    if (!row)
        return 0;
    sqlite3_bind_int64(row, 1, (int64_t)MIN(request->time_ns, (uint64_t)INT64_MAX));
    sqlite3_bind_int64(row, 2, request->thread);
    if (reel_query_step(query, row))
        stack = (uint32_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return stack;
}

gpointer reel_source_frames_read(struct reel_query *query, gpointer data)
{
    const struct reel_source_request *request = data;
    struct reel_source_frames *frames = g_new0(struct reel_source_frames, 1);
    frames->frame = g_array_new(FALSE, TRUE, sizeof(struct reel_source_frame));
    g_array_set_clear_func(frames->frame, frame_clear);
    frames->stack = request->stack    ? request->stack
                    : request->thread ? stack_at(query, request)
                                      : 0;
    frames->own = G_MAXUINT;
    /* Not by the view stack_frame: that one walks all stacks there are. */
    sqlite3_stmt *row = reel_query_prepare(
        query, "WITH RECURSIVE walk(depth, node) AS (SELECT 0, ?1 UNION ALL "
               "SELECT depth + 1, stack.parent FROM walk JOIN stack ON stack.id = walk.node "
               "WHERE stack.parent IS NOT NULL AND depth < 255) "
               "SELECT f.function, f.file, f.line, f.module, f.address FROM walk "
               "JOIN stack ON stack.id = walk.node JOIN frame f ON f.id = stack.frame "
               "ORDER BY depth");
    if (row)
        sqlite3_bind_int64(row, 1, frames->stack);
    while (row && reel_query_step(query, row)) {
        struct reel_source_frame frame = {
            .function = reel_query_text(row, 0),
            .file = reel_query_text(row, 1),
            .line = sqlite3_column_int(row, 2),
            .module = reel_query_text(row, 3),
            .address = (uint64_t)sqlite3_column_int64(row, 4),
        };
        const struct reel_export_frame known = {frame.function, frame.file, frame.module,
                                                frame.line};
        if (frames->own == G_MAXUINT && frame.file && reel_export_is_own(&known))
            frames->own = frames->frame->len;
        g_array_append_val(frames->frame, frame);
    }
    sqlite3_finalize(row);
    if (frames->own == G_MAXUINT)
        frames->own = 0;
    if (query->error.code)
        g_clear_pointer(&frames, reel_source_frames_free);
    return frames;
}

/* The whole path, or the longest end of it that is a file below one of the folders. */
static char *find(const char *path, const char *const *beside)
{
    if (g_path_is_absolute(path) && g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return g_strdup(path);
    const char *end = path;
    while (*end == '/')
        end++;
    for (; end && *end; end = strchr(end, '/') ? strchr(end, '/') + 1 : NULL) {
        if (strstr(end, "../") == end)
            continue; /* never out of the folder */
        for (unsigned i = 0; beside[i]; i++) {
            char *candidate = g_build_filename(beside[i], end, NULL);
            if (g_file_test(candidate, G_FILE_TEST_IS_REGULAR))
                return candidate;
            g_free(candidate);
        }
    }
    return NULL;
}

static char *read_text(const char *path, char **problem)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(path, FALSE, &error);
    if (!mapped) {
        *problem = g_strdup_printf("%s cannot be read: %s", path, error->message);
        return NULL;
    }
    if (g_mapped_file_get_length(mapped) > REEL_SOURCE_BYTES_MOST) {
        *problem = g_strdup_printf("%s is larger than %u MB and is not shown.\nOpen it in your "
                                   "editor.",
                                   path, REEL_SOURCE_BYTES_MOST >> 20);
        return NULL;
    }
    g_autofree char *copy =
        g_strndup(g_mapped_file_get_contents(mapped) ? g_mapped_file_get_contents(mapped) : "",
                  g_mapped_file_get_length(mapped));
    return g_utf8_make_valid(copy, -1);
}

struct reel_source_file *reel_source_file_find(const char *path, const char *const *beside)
{
    struct reel_source_file *file = g_new0(struct reel_source_file, 1);
    file->asked = g_strdup(path);
    file->found = find(path, beside);
    if (file->found)
        file->text = read_text(file->found, &file->problem);
    else
        file->problem = g_strdup_printf(
            "The source file is not here:\n%s\nThat is where the compiler saw it. Put the source "
            "there, or beside the trace,\nor start the viewer in the source's folder.",
            path);
    return file;
}

gpointer reel_source_file_read(struct reel_query *query, gpointer request)
{
    g_autofree char *folder = g_path_get_dirname(reel_trace_path(query->trace));
    g_autofree char *here = g_get_current_dir();
    return reel_source_file_find(request, (const char *const[]){folder, here, NULL});
}
