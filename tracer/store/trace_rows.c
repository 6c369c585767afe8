/* The rows a recorder writes: processes, threads, stacks, mappings and chunks of events. */
#include "tracer/store/trace_private.h"

bool reel_trace_put_process(struct reel_trace *trace, const struct reel_process_row *row,
                            struct reel_error *error)
{
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_PUT_PROCESS, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->pid);
    sqlite3_bind_int64(statement, 3, row->parent_pid);
    reel_bind_or_null(statement, 4, row->parent, 0);
    reel_bind_or_null(statement, 5, row->image_of, 0);
    reel_bind_text(statement, 6, row->executable);
    reel_bind_text(statement, 7, row->command);
    sqlite3_bind_int64(statement, 8, (int64_t)row->start_ns);
    reel_bind_or_null(statement, 9, (int64_t)row->end_ns, 0);
    reel_bind_or_null(statement, 10, row->exit_status, -1);
    reel_bind_or_null(statement, 11, row->signal, -1);
    sqlite3_bind_int(statement, 12, row->traced);
    reel_bind_text(statement, 13, row->note);
    return reel_trace_run(trace, statement, "writing a process", error);
}

static const char *exit_name(int32_t reason)
{
    switch (reason) {
    case REEL_EXIT_RETURNED:
        return "returned";
    case REEL_EXIT_CALLED:
        return "exited";
    case REEL_EXIT_CANCELLED:
        return "cancelled";
    case REEL_EXIT_PROCESS:
        return "process-ended";
    case REEL_EXIT_KILLED:
        return "killed";
    case REEL_EXIT_UNKNOWN:
        return "unknown";
    default:
        return NULL;
    }
}

bool reel_trace_put_thread(struct reel_trace *trace, const struct reel_thread_row *row,
                           struct reel_error *error)
{
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_PUT_THREAD, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, row->process);
    sqlite3_bind_int64(statement, 3, row->tid);
    reel_bind_or_null(statement, 4, (int64_t)row->handle, 0);
    reel_bind_text(statement, 5, row->name);
    reel_bind_or_null(statement, 6, row->parent, 0);
    reel_bind_or_null(statement, 7, (int64_t)row->start_routine, 0);
    sqlite3_bind_int64(statement, 8, (int64_t)row->start_ns);
    reel_bind_or_null(statement, 9, (int64_t)row->end_ns, 0);
    reel_bind_text(statement, 10, exit_name(row->end_reason));
    sqlite3_bind_int64(statement, 11, (int64_t)row->lost);
    reel_bind_or_null(statement, 12, row->cpu_ns, -1);
    return reel_trace_run(trace, statement, "writing a thread", error);
}

bool reel_trace_put_chunk(struct reel_trace *trace, uint32_t process, uint32_t thread,
                          uint32_t stream, const struct reel_chunk *chunk, struct reel_error *error)
{
    if (chunk->count == 0)
        return true;
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_PUT_CHUNK, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, process);
    sqlite3_bind_int64(statement, 2, thread);
    sqlite3_bind_int64(statement, 3, stream);
    sqlite3_bind_int64(statement, 4, (int64_t)chunk->first_ns);
    sqlite3_bind_int64(statement, 5, (int64_t)chunk->last_ns);
    sqlite3_bind_int64(statement, 6, chunk->count);
    /* Static: the builder keeps the bytes until after the step below. */
    sqlite3_bind_blob64(statement, 7, chunk->data, chunk->bytes, SQLITE_STATIC);
    bool good = reel_trace_run(trace, statement, "writing events", error);
    sqlite3_clear_bindings(statement);
    return good;
}

bool reel_trace_put_stack(struct reel_trace *trace, uint32_t id, uint32_t parent, uint32_t process,
                          uint64_t address, struct reel_error *error)
{
    sqlite3_stmt *frame = reel_trace_statement(trace, REEL_STATEMENT_PUT_FRAME, error);
    if (!frame)
        return false;
    sqlite3_bind_int64(frame, 1, process);
    sqlite3_bind_int64(frame, 2, (int64_t)address);
    if (!reel_trace_run(trace, frame, "writing a frame", error))
        return false;
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_PUT_STACK, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, id);
    reel_bind_or_null(statement, 2, parent, 0);
    sqlite3_bind_int64(statement, 3, process);
    sqlite3_bind_int64(statement, 4, (int64_t)address);
    return reel_trace_run(trace, statement, "writing a stack", error);
}

bool reel_trace_put_mapping(struct reel_trace *trace, const struct reel_mapping_row *row,
                            struct reel_error *error)
{
    sqlite3_stmt *statement = reel_trace_statement(trace, REEL_STATEMENT_PUT_MAPPING, error);
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, row->process);
    sqlite3_bind_int64(statement, 2, (int64_t)row->start);
    sqlite3_bind_int64(statement, 3, (int64_t)row->end);
    sqlite3_bind_int64(statement, 4, (int64_t)row->offset);
    sqlite3_bind_int64(statement, 5, (int64_t)row->from_ns);
    reel_bind_text(statement, 6, row->path);
    reel_bind_text(statement, 7, row->build_id);
    sqlite3_bind_int64(statement, 8, (int64_t)row->device);
    sqlite3_bind_int64(statement, 9, (int64_t)row->inode);
    sqlite3_bind_int(statement, 10, row->shared);
    sqlite3_bind_int(statement, 11, row->executable);
    return reel_trace_run(trace, statement, "writing a mapping", error);
}
