/* pipeline-two-stage: threads fetch, processes compute.
 *
 * Shows: each stage gets what suits it: downloads wait, so threads do them; parsing computes, so
 * processes do it, on all processors. A pipe carries the pages from one stage to the next.
 * Look for: the fetchers wait for the server while the parsers compute; the pipe between them: who
 * waits at which end tells which stage is the slow one. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/web.h"
#include "kit/work.h"

#include <unistd.h>

#define MOST 64

struct page {
    long number, bytes, primes; /* far below PIPE_BUF: pages never mix in the pipe */
};

static struct web *web;
static long count = 16;
static int fetched[2], parsed[2]; /* pipes: [0] to read from, [1] to write to */
static pthread_mutex_t next_lock = PTHREAD_MUTEX_INITIALIZER;
static long next_page;

static void *fetch(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&next_lock);
        struct page page = {.number = next_page++};
        pthread_mutex_unlock(&next_lock);
        if (page.number >= count)
            return NULL;
        page.bytes = web_fetch(web, page.number);
        process_write(fetched[1], &page, sizeof page);
    }
}

static int parse(void *unused)
{
    (void)unused;
    struct page page;
    close(fetched[1]);
    while (process_read(fetched[0], &page, sizeof page) == sizeof page) {
        page.primes = work_count_primes(0, page.bytes * 50);
        process_write(parsed[1], &page, sizeof page);
    }
    return 0;
}

int main(int argc, char **argv)
{
    long fetchers = 4, parsers = 2, delay = 50;
    arguments_read(argc, argv, "Threads fetch pages, processes parse them.",
                   ARGUMENTS(NUMBER("pages", &count, 1, MOST, "how many"),
                             NUMBER("fetchers", &fetchers, 1, MOST, "threads"),
                             NUMBER("parsers", &parsers, 1, MOST, "processes"),
                             NUMBER("ms", &delay, 0, 1000, "the server's time for each")));
    web = web_start(delay);
    CHECK_SYSTEM(pipe(fetched));
    CHECK_SYSTEM(pipe(parsed));
    pid_t children[MOST];
    for (long i = 0; i < parsers; i++) /* before the threads: fork and threads mix badly */
        children[i] = process_start(parse, NULL, "parser");

    thread_crew(fetchers, "fetcher", fetch, NULL, 0);
    close(fetched[1]); /* no more pages */

    long bytes = 0, primes = 0;
    for (long i = 0; i < count; i++) {
        struct page page;
        CHECK_TRUE(process_read(parsed[0], &page, sizeof page) == sizeof page);
        bytes += page.bytes;
        primes += page.primes;
    }
    for (long i = 0; i < parsers; i++)
        CHECK_TRUE(process_wait(children[i]) == 0);
    web_stop(web);
    printf("%ld pages, %ld bytes, %ld primes\n", count, bytes, primes);
    return 0;
}
