/* The text form as a trace file: what a recorder would have left behind. The rest of the text form
 * does not need the store. */
#include <errno.h>
#include <stdlib.h>

#include "tracer/model/text_form_private.h"
#include "tracer/store/trace.h"

#define CODE_ADDRESS 0x400000ull /* stack N is the one frame at this address + N */

struct thread_facts {
    struct reel_thread_row row;
    struct reel_chunk_builder *builder;
};

struct writing {
    const struct reel_text_form *form;
    struct reel_trace *trace;
    struct reel_error *error;
    struct thread_facts *thread;      /* by number */
    struct reel_process_row *process; /* by number */
};

static void learn(struct writing *writing, const struct reel_event *event)
{
    struct thread_facts *thread = &writing->thread[event->thread];
    struct reel_process_row *process = &writing->process[event->process];
    if (!process->id)
        *process = (struct reel_process_row){
            .id = event->process,
            .pid = (int32_t)(REEL_TEXT_FIRST_PID + event->process),
            .start_ns = event->time_ns,
            .exit_status = -1,
            .signal = -1,
            .traced = true,
        };
    if (!thread->row.id)
        thread->row = (struct reel_thread_row){
            .id = event->thread,
            .process = event->process,
            .tid = (int32_t)(10000 + event->thread),
            .start_ns = event->time_ns,
            .end_reason = -1,
            .cpu_ns = -1,
        };
    if (event->operation == REEL_OP_ATTACH && event->argument < REEL_TEXT_THREADS &&
        event->argument != event->process) {
        process->parent = event->argument;
        process->parent_pid = (int32_t)(REEL_TEXT_FIRST_PID + event->argument);
    } else if (event->operation == REEL_OP_START && event->extra_words == 3) {
        thread->row.handle = event->extra[0];
        thread->row.start_routine = event->extra[1];
        if (event->extra[2] < REEL_TEXT_THREADS &&
            writing->thread[event->extra[2]].row.id) /* a row that will be there */
            thread->row.parent = (uint32_t)event->extra[2];
    } else if (event->operation == REEL_OP_EXIT && event->class == REEL_CLASS_THREAD) {
        thread->row.end_ns = event->time_ns;
        thread->row.end_reason = (int32_t)event->argument;
    } else if (event->operation == REEL_OP_EXIT) {
        process->end_ns = event->time_ns;
        process->exit_status = (int32_t)event->argument;
    }
}

static bool put_chunk(struct writing *writing, const struct thread_facts *thread)
{
    struct reel_chunk chunk = reel_chunk_builder_finish(thread->builder);
    return !chunk.count || reel_trace_put_chunk(writing->trace, thread->row.process, thread->row.id,
                                                0, &chunk, writing->error);
}

static bool put_events(struct writing *writing)
{
    for (size_t i = 0; i < writing->form->count; i++) {
        const struct reel_event *event = &writing->form->event[i];
        struct thread_facts *thread = &writing->thread[event->thread];
        if (event->stack && !reel_trace_put_stack(writing->trace, event->stack, 0, event->process,
                                                  CODE_ADDRESS + event->stack, writing->error))
            return false;
        if (!thread->builder)
            thread->builder = reel_chunk_builder_new();
        if (!thread->builder)
            return reel_error_set(writing->error, REEL_ERROR_SYSTEM, ENOMEM, "out of memory");
        if (!reel_chunk_builder_append(thread->builder, event) &&
            (!put_chunk(writing, thread) || !reel_chunk_builder_append(thread->builder, event)))
            return false;
    }
    for (uint32_t i = 0; i < REEL_TEXT_THREADS; i++)
        if (writing->thread[i].builder && !put_chunk(writing, &writing->thread[i]))
            return false;
    return true;
}

/* Parents first: rows refer to each other. */
static bool put_tables(struct writing *writing)
{
    bool done[REEL_TEXT_THREADS] = {false};
    for (bool progress = true; progress;) {
        progress = false;
        for (uint32_t i = 1; i < REEL_TEXT_THREADS; i++) {
            struct reel_process_row *process = &writing->process[i];
            if (!process->id || done[i])
                continue;
            if (process->parent && !writing->process[process->parent].id)
                process->parent = 0;
            if (process->parent && !done[process->parent])
                continue;
            if (!reel_trace_put_process(writing->trace, process, writing->error))
                return false;
            done[i] = progress = true;
        }
    }
    for (uint32_t i = 1; i < REEL_TEXT_THREADS; i++) {
        struct reel_thread_row row = writing->thread[i].row;
        row.parent = 0;
        if (row.id && !reel_trace_put_thread(writing->trace, &row, writing->error))
            return false;
    }
    for (uint32_t i = 1; i < REEL_TEXT_THREADS; i++)
        if (writing->thread[i].row.parent &&
            !reel_trace_put_thread(writing->trace, &writing->thread[i].row, writing->error))
            return false;
    return true;
}

bool reel_text_form_write(const struct reel_text_form *form, struct reel_trace *trace,
                          struct reel_error *error)
{
    struct writing writing = {
        .form = form,
        .trace = trace,
        .error = error,
        .thread = calloc(REEL_TEXT_THREADS, sizeof *writing.thread),
        .process = calloc(REEL_TEXT_THREADS, sizeof *writing.process),
    };
    bool good = writing.thread && writing.process;
    if (!good)
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "out of memory");
    for (size_t i = 0; good && i < form->count; i++)
        learn(&writing, &form->event[i]);
    good = good && reel_trace_begin(trace, error) && put_tables(&writing) && put_events(&writing) &&
           reel_trace_commit(trace, error);
    for (uint32_t i = 0; writing.thread && i < REEL_TEXT_THREADS; i++)
        reel_chunk_builder_free(writing.thread[i].builder);
    free(writing.thread);
    free(writing.process);
    return good;
}
