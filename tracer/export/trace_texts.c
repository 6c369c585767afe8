#include "tracer/export/trace_texts.h"

#include <string.h>

struct reel_trace_texts {
    sqlite3 *database;
    sqlite3_stmt *thread, *object, *stack;
    GStringChunk *chunk; /* keeps every text that was handed out, each once */
    struct reel_export_names names;
};

static const char *keep(struct reel_trace_texts *texts, const unsigned char *text)
{
    return text ? g_string_chunk_insert_const(texts->chunk, (const char *)text) : NULL;
}

/* One column of the row with that id; NULL: none. Valid until the statement is reset. */
static sqlite3_stmt *row_of(sqlite3_stmt *statement, uint32_t id)
{
    sqlite3_reset(statement);
    sqlite3_bind_int64(statement, 1, id);
    return sqlite3_step(statement) == SQLITE_ROW ? statement : NULL;
}

static const char *thread_name(void *data, uint32_t thread)
{
    struct reel_trace_texts *texts = data;
    sqlite3_stmt *row = row_of(texts->thread, thread);
    const char *name = row ? keep(texts, sqlite3_column_text(row, 0)) : NULL;
    sqlite3_reset(texts->thread);
    if (name)
        return name;
    g_autofree char *number = g_strdup_printf("thread %u", thread);
    return keep(texts, (const unsigned char *)number);
}

static int tid_of(void *data, uint32_t thread)
{
    struct reel_trace_texts *texts = data;
    sqlite3_stmt *row = row_of(texts->thread, thread);
    int tid = row ? sqlite3_column_int(row, 1) : 0;
    sqlite3_reset(texts->thread);
    return tid;
}

static int pid_of(void *data, uint32_t thread)
{
    struct reel_trace_texts *texts = data;
    sqlite3_stmt *row = row_of(texts->thread, thread);
    int pid = row ? sqlite3_column_int(row, 2) : 0;
    sqlite3_reset(texts->thread);
    return pid;
}

static const char *object_name(void *data, uint32_t object)
{
    struct reel_trace_texts *texts = data;
    sqlite3_stmt *row = row_of(texts->object, object);
    const char *name = row ? keep(texts, sqlite3_column_text(row, 0)) : NULL;
    sqlite3_reset(texts->object);
    if (name)
        return name;
    g_autofree char *number = g_strdup_printf("object %u", object);
    return keep(texts, (const unsigned char *)number);
}

static const char *object_class(void *data, uint32_t object)
{
    struct reel_trace_texts *texts = data;
    sqlite3_stmt *row = row_of(texts->object, object);
    const char *name = row ? keep(texts, sqlite3_column_text(row, 1)) : NULL;
    sqlite3_reset(texts->object);
    return name;
}

static unsigned frames_of(void *data, uint32_t stack, struct reel_export_frame *frames,
                          unsigned limit)
{
    struct reel_trace_texts *texts = data;
    unsigned count = 0;
    int64_t at = stack;
    /* A damaged table may have circles: the limit ends the walk. */
    while (at > 0 && at <= UINT32_MAX && count < limit) {
        sqlite3_stmt *row = row_of(texts->stack, (uint32_t)at);
        if (!row)
            break;
        frames[count++] = (struct reel_export_frame){
            .function = keep(texts, sqlite3_column_text(row, 1)),
            .file = keep(texts, sqlite3_column_text(row, 2)),
            .line = sqlite3_column_int(row, 3),
            .module = keep(texts, sqlite3_column_text(row, 4)),
        };
        at = sqlite3_column_int64(row, 0);
    }
    sqlite3_reset(texts->stack);
    return count;
}

struct reel_trace_texts *reel_trace_texts_new(struct reel_trace *trace, struct reel_error *error)
{
    struct reel_trace_texts *texts = g_new0(struct reel_trace_texts, 1);
    texts->database = reel_trace_database(trace);
    texts->chunk = g_string_chunk_new(4096);
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } all[] = {
        {&texts->thread, "SELECT thread.name, thread.tid, process.pid FROM thread LEFT JOIN "
                         "process ON process.id = thread.process WHERE thread.id = ?"},
        {&texts->object, "SELECT object.name, class.name FROM object LEFT JOIN class ON class.id = "
                         "object.class WHERE object.id = ?"},
        {&texts->stack, "SELECT stack.parent, frame.function, frame.file, frame.line, frame.module "
                        "FROM stack JOIN frame ON frame.id = stack.frame WHERE stack.id = ?"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (sqlite3_prepare_v2(texts->database, all[i].sql, -1, all[i].statement, NULL) !=
            SQLITE_OK) {
            reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(texts->database),
                           "%s: reading names: %s", reel_trace_path(trace),
                           sqlite3_errmsg(texts->database));
            reel_trace_texts_free(texts);
            return NULL;
        }
    texts->names = (struct reel_export_names){.thread = thread_name,
                                              .object = object_name,
                                              .object_class = object_class,
                                              .tid = tid_of,
                                              .pid = pid_of,
                                              .stack = frames_of,
                                              .data = texts};
    return texts;
}

void reel_trace_texts_free(struct reel_trace_texts *texts)
{
    if (!texts)
        return;
    sqlite3_finalize(texts->thread);
    sqlite3_finalize(texts->object);
    sqlite3_finalize(texts->stack);
    g_string_chunk_free(texts->chunk);
    g_free(texts);
}

const struct reel_export_names *reel_trace_texts_names(const struct reel_trace_texts *texts)
{
    return &texts->names;
}
