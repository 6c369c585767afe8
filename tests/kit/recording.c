#include "tests/kit/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void recording_start(struct recording *recording, const char *reel, const char *folder,
                     char *const options[], char *const program[])
{
    if (!recording->folder[0]) {
        strcpy(recording->folder, "/tmp/reel-test-XXXXXX");
        if (!mkdtemp(recording->folder))
            fail_msg("no folder: %s", strerror(errno));
    }
    const char *place = recording->folder;
    snprintf(recording->trace, sizeof recording->trace, "%.80s/trace.reel",
             folder ? folder : place);
    snprintf(recording->output, sizeof recording->output, "%s/output", place);
    snprintf(recording->errors, sizeof recording->errors, "%s/errors", place);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, (char *)reel);
    g_ptr_array_add(words, (char *)"record");
    g_ptr_array_add(words, (char *)"-o");
    g_ptr_array_add(words, recording->trace);
    for (; *options; options++)
        g_ptr_array_add(words, *options);
    g_ptr_array_add(words, (char *)"--");
    for (; *program; program++)
        g_ptr_array_add(words, *program);
    g_ptr_array_add(words, NULL);
    recording->reel = fork();
    if (recording->reel == 0) {
        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(open(recording->output, O_WRONLY | O_CREAT | O_TRUNC, 0666), 1);
        dup2(open(recording->errors, O_WRONLY | O_CREAT | O_TRUNC, 0666), 2);
        setpgid(0, 0);
        execv(reel, (char **)words->pdata);
        _exit(124);
    }
    assert_true(recording->reel > 0);
}

int recording_wait(struct recording *recording)
{
    int status;
    while (waitpid(recording->reel, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void recording_remove(struct recording *recording)
{
    if (recording->folder[0])
        nftw(recording->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    recording->folder[0] = '\0';
}

char *recording_text(const char *path)
{
    char *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

struct reel_merge_statistics
recording_read(const struct recording *recording,
               void (*each)(void *data, const struct reel_event *event), void *data)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(recording->trace, REEL_TRACE_READ, &error);
    if (!trace)
        fail_msg("the trace does not open: %s", error.message);
    struct reel_merge *merge = reel_merge_new(trace, &error);
    if (!merge)
        fail_msg("the trace has no events to read: %s", error.message);
    for (const struct reel_event *event; (event = reel_merge_next(merge, &error));)
        if (each)
            each(data, event);
    if (error.code)
        fail_msg("the trace ends early: %s", error.message);
    struct reel_merge_statistics statistics = *reel_merge_statistics(merge);
    reel_merge_free(merge);
    reel_trace_close(trace, NULL);
    return statistics;
}

int64_t recording_ask(const struct recording *recording, const char *sql)
{
    struct reel_error error = {0};
    struct reel_trace *trace = reel_trace_open(recording->trace, REEL_TRACE_READ, &error);
    if (!trace)
        fail_msg("the trace does not open: %s", error.message);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reel_trace_database(trace), sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(reel_trace_database(trace)));
    int64_t value = -1;
    if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    reel_trace_close(trace, NULL);
    return value;
}

uint64_t recording_meta(const struct recording *recording, const char *key)
{
    g_autofree char *sql = g_strdup_printf("SELECT value FROM meta WHERE key = '%s'", key);
    int64_t value = recording_ask(recording, sql);
    return value < 0 ? 0 : (uint64_t)value;
}

void *recording_page(const struct recording *recording, const char *name, size_t bytes)
{
    g_autofree char *path = g_strdup_printf("%s/%s", recording->folder, name);
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    assert_true(fd >= 0);
    assert_return_code(ftruncate(fd, (off_t)bytes), errno);
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    close(fd);
    return page;
}
