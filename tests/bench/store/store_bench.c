/* How fast the storage floor is, and how small: store_bench [--json] [EVENTS [DIRECTORY]]
 *
 * The stream is lock-heavy: every thread acquires and releases some of 16 mutexes, from a few
 * hundred stacks, 100 to 2,000 ns apart, and other threads come in between. Best of three rounds
 * each. */
#include "tests/unit/store/random.h"
#include "tracer/store/merge.h"
#include "tracer/store/rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { rounds = 3, locks = 16 };

struct bench {
    bool as_json, has_printed;
    uint32_t events;
    const char *directory;
    char path[512];
    struct reel_event *event;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void give_up(const char *what, const struct reel_error *error)
{
    fprintf(stderr, "store_bench: %s: %s\n", what, error->message);
    exit(1);
}

static void print(struct bench *bench, const char *name, uint32_t events, double seconds,
                  double bytes)
{
    double rate = events / seconds / 1e6;
    if (bench->as_json)
        printf("%s\n  {\"name\": \"%s\", \"events\": %" PRIu32
               ", \"million_per_second\": %.2f, \"bytes_per_event\": %.2f}",
               bench->has_printed ? "," : "", name, events, rate, bytes / events);
    else if (bytes > 0)
        printf("%-44s %8.2f M/s %8.2f B/event\n", name, rate, bytes / events);
    else
        printf("%-44s %8.2f M/s\n", name, rate);
    bench->has_printed = true;
    fflush(stdout);
}

/* Events in true order, given out to `threads` in bursts of a few. */
static void make_events(struct bench *bench, uint32_t threads)
{
    uint64_t seed = 12345, time = 1000;
    uint32_t sequence[locks] = {0}, thread = 1, burst = 0;
    for (uint32_t i = 0; i < bench->events; i += 2) {
        if (burst-- == 0) {
            thread = 1 + random_below(&seed, threads);
            burst = random_below(&seed, 6);
        }
        uint32_t lock = random_below(&seed, locks), stack = lock * 40 + random_below(&seed, 20) * 2;
        for (uint32_t k = 0; k < 2 && i + k < bench->events; k++) {
            time += 100 / threads + 1 + random_below(&seed, 2000 / threads + 20);
            bench->event[i + k] =
                (struct reel_event){.time_ns = time,
                                    .object = 0x5581f00a2040 + 0x140 * (uint64_t)lock,
                                    .sequence = ++sequence[lock],
                                    .stack = 1000 + stack + k,
                                    .thread = thread,
                                    .process = 1,
                                    .operation = k ? REEL_OP_RELEASE : REEL_OP_ACQUIRE,
                                    .class = REEL_CLASS_MUTEX};
        }
    }
}

static void bench_codec(struct bench *bench)
{
    double encode = 1e9, decode = 1e9, bytes = 0;
    for (unsigned round = 0; round < rounds; round++) {
        struct reel_chunk_builder *builder = reel_chunk_builder_new();
        struct reel_chunk_reader *reader = reel_chunk_reader_new();
        struct reel_error error = {0};
        double encoding = 0, decoding = 0;
        uint64_t sum = 0;
        bytes = 0;
        for (uint32_t i = 0; i < bench->events;) {
            double start = now();
            while (i < bench->events && reel_chunk_builder_append(builder, &bench->event[i]))
                i++;
            struct reel_chunk chunk = reel_chunk_builder_finish(builder);
            double middle = now();
            if (!reel_chunk_reader_load(reader, chunk.data, chunk.bytes, chunk.count,
                                        chunk.first_ns, &error))
                give_up("decoding", &error);
            for (const struct reel_event *event; (event = reel_chunk_reader_next(reader));)
                sum += event->time_ns + event->object;
            encoding += middle - start;
            decoding += now() - middle;
            bytes += (double)chunk.bytes;
        }
        if (sum == 0) /* keeps the decoding from being optimised away */
            abort();
        encode = encoding < encode ? encoding : encode;
        decode = decoding < decode ? decoding : decode;
        reel_chunk_reader_free(reader);
        reel_chunk_builder_free(builder);
    }
    print(bench, "encode chunks, one stream", bench->events, encode, bytes);
    print(bench, "decode chunks, one stream", bench->events, decode, 0);
}

static double file_bytes(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (double)status.st_size : 0;
}

static double record(struct bench *bench, uint32_t threads)
{
    struct reel_error error = {0};
    struct reel_chunk_builder **builder = calloc(threads + 1, sizeof(struct reel_chunk_builder *));
    double start = now();
    struct reel_trace *trace = reel_trace_create(bench->path, &error);
    if (!trace || !reel_trace_begin(trace, &error))
        give_up("recording", &error);
    for (uint32_t i = 1; i <= threads; i++)
        builder[i] = reel_chunk_builder_new();
    for (uint32_t i = 0; i < bench->events; i++) {
        const struct reel_event *event = &bench->event[i];
        if (reel_chunk_builder_append(builder[event->thread], event))
            continue;
        struct reel_chunk chunk = reel_chunk_builder_finish(builder[event->thread]);
        if (!reel_trace_put_chunk(trace, 1, event->thread, 0, &chunk, &error))
            give_up("recording", &error);
        reel_chunk_builder_append(builder[event->thread], event);
        if (i % 256 == 0 && !(reel_trace_commit(trace, &error) && reel_trace_begin(trace, &error)))
            give_up("recording", &error);
    }
    for (uint32_t i = 1; i <= threads; i++) {
        struct reel_chunk chunk = reel_chunk_builder_finish(builder[i]);
        if (!reel_trace_put_chunk(trace, 1, i, 0, &chunk, &error))
            give_up("recording", &error);
        reel_chunk_builder_free(builder[i]);
    }
    if (!reel_trace_close(trace, &error))
        give_up("recording", &error);
    free(builder);
    return now() - start;
}

static void bench_merge(struct bench *bench, uint32_t threads)
{
    double best = 1e9;
    struct reel_error error = {0};
    for (unsigned round = 0; round < rounds; round++) {
        struct reel_trace *trace = reel_trace_open(bench->path, REEL_TRACE_READ, &error);
        double start = now();
        struct reel_merge *merge = trace ? reel_merge_new(trace, &error) : NULL;
        if (!merge)
            give_up("merging", &error);
        uint32_t seen = 0;
        while (reel_merge_next(merge, &error))
            seen++;
        double seconds = now() - start;
        if (seen != bench->events)
            give_up("merging", &error);
        best = seconds < best ? seconds : best;
        reel_merge_free(merge);
        reel_trace_close(trace, NULL);
    }
    char name[80];
    snprintf(name, sizeof name, "merge, %" PRIu32 " streams", threads);
    print(bench, name, bench->events, best, 0);
}

static bool put_event(struct reel_rows *rows, const struct reel_event *event,
                      struct reel_error *error)
{
    return reel_rows_put_event(
        rows,
        &(struct reel_event_row){.time_ns = event->time_ns,
                                 .thread = event->thread,
                                 .operation = event->operation,
                                 .class = event->class,
                                 .object = 1 + (uint32_t)(event->object >> 6 & 15),
                                 .argument = event->argument,
                                 .stack = event->stack,
                                 .flags = event->flags},
        error);
}

/* Rows from memory, with everything that sealing does after them but dropping chunks. */
static void bench_rows(struct bench *bench, enum reel_rows_writer writer, const char *name)
{
    double best = 1e9, before = file_bytes(bench->path), bytes = 0;
    struct reel_error error = {0};
    for (unsigned round = 0; round < rounds; round++) {
        struct reel_trace *trace = reel_trace_open(bench->path, REEL_TRACE_WRITE, &error);
        double start = now();
        struct reel_rows *rows = trace ? reel_rows_new(trace, writer, &error) : NULL;
        if (!rows)
            give_up("sealing", &error);
        start = now(); /* removing the rows of the round before is not part of it */
        for (uint32_t i = 0; i < bench->events; i++)
            if (!put_event(rows, &bench->event[i], &error))
                give_up("sealing", &error);
        if (!reel_rows_finish(rows, true, &error))
            give_up("sealing", &error);
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
        reel_trace_close(trace, NULL);
        if (round == 0)
            bytes = file_bytes(bench->path) - before;
    }
    print(bench, name, bench->events, best, bytes > 0 ? bytes : 0);
}

/* Merge, event rows and a hold for every pair, chunks dropped: what `reel record` waits for, but
 * for the model's own work. */
static void bench_whole(struct bench *bench)
{
    struct reel_error error = {0};
    record(bench, 8);
    struct reel_trace *trace = reel_trace_open(bench->path, REEL_TRACE_WRITE, &error);
    double start = now();
    struct reel_rows *rows = trace ? reel_rows_new(trace, REEL_ROWS_PAGES, &error) : NULL;
    struct reel_merge *merge = rows ? reel_merge_new(trace, &error) : NULL;
    if (!merge)
        give_up("sealing", &error);
    for (const struct reel_event *event; (event = reel_merge_next(merge, &error));) {
        if (!put_event(rows, event, &error))
            give_up("sealing", &error);
        if (event->operation == REEL_OP_RELEASE &&
            !reel_rows_put_hold(rows,
                                &(struct reel_hold_row){.object = 1,
                                                        .thread = event->thread,
                                                        .start_ns = event->time_ns - 50,
                                                        .end_ns = event->time_ns,
                                                        .stack = event->stack,
                                                        .released = true},
                                &error))
            give_up("sealing", &error);
    }
    reel_merge_free(merge);
    if (!reel_rows_finish(rows, false, &error))
        give_up("sealing", &error);
    double seconds = now() - start;
    reel_trace_close(trace, NULL);
    print(bench, "merge, event and hold rows, drop chunks", bench->events, seconds,
          file_bytes(bench->path));
}

int main(int count, char **arguments)
{
    struct bench bench = {.events = 4000000, .directory = getenv("TMPDIR")};
    int at = 1;
    if (at < count && strcmp(arguments[at], "--json") == 0) {
        bench.as_json = true;
        at++;
    }
    if (at < count)
        bench.events = (uint32_t)strtoul(arguments[at++], NULL, 10);
    if (at < count)
        bench.directory = arguments[at];
    snprintf(bench.path, sizeof bench.path, "%s/store-bench-%d.reel",
             bench.directory ? bench.directory : "/tmp", (int)getpid());
    bench.event = calloc(bench.events, sizeof *bench.event);
    if (bench.events == 0 || !bench.event) {
        fprintf(stderr, "usage: store_bench [--json] [EVENTS [DIRECTORY]]\n");
        return 2;
    }
    if (bench.as_json)
        printf("[");
    make_events(&bench, 1);
    bench_codec(&bench);
    make_events(&bench, 8);
    double seconds = record(&bench, 8);
    print(&bench, "encode and store, 8 streams", bench.events, seconds, file_bytes(bench.path));
    bench_merge(&bench, 8);
    bench_rows(&bench, REEL_ROWS_API, "event rows, statements");
    record(&bench, 8); /* afresh: no free pages to reuse */
    bench_rows(&bench, REEL_ROWS_PAGES, "event rows, b-tree pages");
    bench_whole(&bench);
    make_events(&bench, 2000);
    record(&bench, 2000);
    bench_merge(&bench, 2000);
    if (bench.as_json)
        printf("\n]\n");
    unlink(bench.path);
    free(bench.event);
    return 0;
}
