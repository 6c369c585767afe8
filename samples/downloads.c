/* downloads: the same pages one after the other, by threads, or on an event loop.
 *
 * Shows: a download is waiting, nearly all of it. Sequentially the waits add up; with threads or
 * tasks they overlap, and ten pages take hardly longer than one. The server is the sample's own,
 * a process on the loopback interface.
 * Look for: `sequential`: one lane, recv after recv, and independent calls found in a row;
 * `threads`: a lane per page, all waiting at once; `async`: one lane, many descriptors ready. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/web.h"
#include "kit/work.h"

#include <fcntl.h>
#include <unistd.h>

#define MOST 64

struct download {
    long page, bytes;
};

static struct web *web;
static struct download downloads[MOST];
static long count = 10;

static void *fetch(void *argument)
{
    struct download *download = argument;
    download->bytes = web_fetch(web, download->page);
    return NULL;
}

static long fetch_async(void *argument)
{
    struct download *download = argument;
    char answer[16384];
    size_t got = 0;
    int server = web_request(web, download->page);
    CHECK_SYSTEM(fcntl(server, F_SETFL, O_NONBLOCK));
    for (;;) {
        ssize_t bytes = read(server, answer + got, sizeof answer - got);
        if (bytes == 0)
            break;
        if (bytes > 0)
            got += (size_t)bytes;
        else if (errno == EAGAIN)
            task_readable(server);
        else
            check_failed("read", __FILE__, __LINE__, errno);
    }
    close(server);
    return download->bytes = web_body_bytes(answer, (long)got);
}

static long start(void *unused)
{
    (void)unused;
    struct task *tasks[MOST];
    for (long i = 0; i < count; i++)
        tasks[i] = task_create("fetch", fetch_async, &downloads[i]);
    return task_gather(tasks, (size_t)count, NULL) >= 0 ? 0 : 1;
}

enum mode { SEQUENTIAL, THREADS, ASYNC };

int main(int argc, char **argv)
{
    static const char *const modes[] = {"sequential", "threads", "async", NULL};
    long mode = SEQUENTIAL, delay = 100;
    arguments_read(argc, argv, "Downloads pages from a slow server of its own.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "how"),
                             NUMBER("pages", &count, 1, MOST, "how many"),
                             NUMBER("ms", &delay, 0, 1000, "the server's time for each")));
    for (long i = 0; i < count; i++)
        downloads[i].page = i;
    web = web_start(delay);
    double began = work_seconds();
    if (mode == SEQUENTIAL) {
        for (long i = 0; i < count; i++)
            fetch(&downloads[i]);
    } else if (mode == THREADS) {
        thread_crew(count, "download", fetch, downloads, sizeof downloads[0]);
    } else {
        loop_run(start, NULL);
    }
    double took = work_seconds() - began;
    web_stop(web);

    long bytes = 0;
    for (long i = 0; i < count; i++)
        bytes += downloads[i].bytes;
    printf("%s: %ld pages, %ld bytes\n", modes[mode], count, bytes);
    if (arguments_times())
        printf("%.2f s\n", took);
    return 0;
}
