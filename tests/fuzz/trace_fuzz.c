/* Any file given to the store: opened, its facts read, its events merged, sealed. An error or not,
 * but no crash, and a failure always says something.
 *
 * Input: a file that begins as a database does is taken as it is. Otherwise it is a list of
 * changes, four bytes each (offset, high byte first, and value), to a small good trace: so the
 * fuzzer need not invent a database to get past the first page. */
#include "tracer/store/merge.h"
#include "tracer/store/rows.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[256];
static uint8_t *good_trace;
static size_t good_bytes;

static void remove_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[300];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

/* Twenty events of two threads; chunks come last in the file, so that changes reach them. */
static void make_good_trace(void)
{
    const char *directory = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/reel-fuzz-%d.reel", directory ? directory : "/tmp",
             (int)getpid());
    struct reel_trace *trace = reel_trace_create(path, NULL);
    struct reel_chunk_builder *builder = reel_chunk_builder_new();
    if (!trace || !builder)
        abort();
    const uint64_t words[] = {1, 2, 3};
    for (uint32_t thread = 1; thread <= 2; thread++) {
        for (uint32_t i = 0; i < 10; i++)
            reel_chunk_builder_append(builder,
                                      &(struct reel_event){.time_ns = 100 * thread + 10 * i,
                                                           .object = 7 + i % 3,
                                                           .sequence = thread == 1 ? i / 3 + 1 : 0,
                                                           .operation = REEL_OP_ACQUIRE,
                                                           .class = REEL_CLASS_MUTEX,
                                                           .extra_words = i == 5 ? 3 : 0,
                                                           .extra = words});
        struct reel_chunk chunk = reel_chunk_builder_finish(builder);
        reel_trace_put_chunk(trace, 1, thread, 0, &chunk, NULL);
    }
    reel_chunk_builder_free(builder);
    if (!reel_trace_close(trace, NULL))
        abort();
    int file = open(path, O_RDONLY);
    struct stat status;
    fstat(file, &status);
    good_bytes = (size_t)status.st_size;
    good_trace = malloc(good_bytes);
    if (!good_trace || read(file, good_trace, good_bytes) != (ssize_t)good_bytes)
        abort();
    close(file);
}

static void write_file(const uint8_t *data, size_t size)
{
    remove_files();
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (size >= 16 && memcmp(data, "SQLite format 3", 16) == 0) {
        if (write(file, data, size) != (ssize_t)size)
            abort();
    } else {
        uint8_t *content = malloc(good_bytes);
        memcpy(content, good_trace, good_bytes);
        for (size_t i = 0; i + 4 <= size; i += 4) {
            size_t offset = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
            content[offset % good_bytes] = data[i + 3];
        }
        if (write(file, content, good_bytes) != (ssize_t)good_bytes)
            abort();
        free(content);
    }
    close(file);
}

/* A failure has a code and words. */
static void expect_words(const struct reel_error *error)
{
    if (error->code == REEL_ERROR_NONE || error->message[0] == '\0')
        abort();
}

static void merge_all(struct reel_trace *trace, struct reel_rows *rows)
{
    struct reel_error error = {0};
    struct reel_merge *merge =
        rows ? reel_merge_new_tolerant(trace, &error) : reel_merge_new(trace, &error);
    if (!merge) {
        expect_words(&error);
        return;
    }
    uint64_t last = 0, seen = 0;
    for (const struct reel_event *event; (event = reel_merge_next(merge, &error)); seen++) {
        if (seen && event->time_ns <= last)
            abort();
        last = event->time_ns;
        struct reel_error row_error = {0};
        if (rows && !reel_rows_put_event(rows,
                                         &(struct reel_event_row){.time_ns = event->time_ns,
                                                                  .thread = event->thread,
                                                                  .operation = event->operation},
                                         &row_error))
            expect_words(&row_error);
    }
    reel_merge_free(merge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!good_trace)
        make_good_trace();
    write_file(data, size);
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(path, REEL_TRACE_READ, &error);
    if (trace) {
        reel_trace_state(trace);
        sqlite3_free(reel_trace_meta(trace, "command"));
        merge_all(trace, NULL);
        reel_trace_close(trace, NULL);
    } else {
        expect_words(&error);
    }
    error = (struct reel_error){0};
    trace = reel_trace_open(path, REEL_TRACE_WRITE, &error);
    if (trace) {
        struct reel_rows *rows =
            reel_rows_new(trace, size % 2 ? REEL_ROWS_PAGES : REEL_ROWS_API, &error);
        if (rows) {
            merge_all(trace, rows);
            if (!reel_rows_finish(rows, size % 3 == 0, &error))
                expect_words(&error);
        } else {
            expect_words(&error);
        }
        reel_trace_close(trace, NULL);
    }
    remove_files();
    return 0;
}
