#include "tests/unit/store/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

void recording_begin(struct recording *recording, const char *path, unsigned chunk_events)
{
    *recording = (struct recording){.chunk_events = chunk_events};
    struct reel_error error = {0};
    recording->trace = reel_trace_create(path, &error);
    if (!recording->trace)
        fail_msg("%s", error.message);
    assert_true(reel_trace_begin(recording->trace, NULL));
}

static void write_chunk(struct recording *recording, uint32_t thread)
{
    struct reel_error error = {0};
    struct reel_chunk chunk = reel_chunk_builder_finish(recording->builder[thread]);
    if (!reel_trace_put_chunk(recording->trace, recording->process[thread], thread, 0, &chunk,
                              &error))
        fail_msg("%s", error.message);
}

void recording_add(struct recording *recording, const struct reel_event *event)
{
    struct reel_chunk_builder **builder = &recording->builder[event->thread];
    if (!*builder)
        *builder = reel_chunk_builder_new();
    recording->process[event->thread] = event->process;
    assert_non_null(*builder);
    assert_true(reel_chunk_builder_append(*builder, event));
    if (reel_chunk_builder_count(*builder) >= recording->chunk_events)
        write_chunk(recording, event->thread);
}

void recording_flush(struct recording *recording)
{
    for (uint32_t i = 0; i < sizeof recording->builder / sizeof recording->builder[0]; i++) {
        if (!recording->builder[i])
            continue;
        write_chunk(recording, i);
        reel_chunk_builder_free(recording->builder[i]);
        recording->builder[i] = NULL;
    }
    assert_true(reel_trace_commit(recording->trace, NULL));
}

void recording_end(struct recording *recording)
{
    recording_flush(recording);
    assert_true(reel_trace_close(recording->trace, NULL));
}
