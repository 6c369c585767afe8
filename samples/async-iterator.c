/* async-iterator: a loop over items that are not there yet.
 *
 * Shows: an async iterator is an object whose next() waits on the loop: `while (next(&it, &item))`
 * reads pages from a slow source, and another task runs while it waits for each.
 * Look for: two readers in one thread, taking turns: while one waits for its page, the other uses
 * the one that it has. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"

static long pages = 4, milliseconds = 20;

struct reader {
    const char *name;
    long page, last, delay;
};

/* The next page, once it has come; false at the end, or when the task is cancelled. */
static bool next(struct reader *reader, long *page)
{
    if (reader->page == reader->last || !task_sleep(reader->delay))
        return false;
    *page = ++reader->page;
    return true;
}

static long read_all(void *argument)
{
    struct reader *reader = argument;
    long page, sum = 0;
    while (next(reader, &page)) {
        printf("%s: page %ld\n", reader->name, page);
        sum += page;
    }
    printf("%s: end\n", reader->name);
    return sum;
}

static long start(void *unused)
{
    (void)unused;
    struct reader novel = {"novel", 0, pages, milliseconds};
    struct reader atlas = {"atlas", 0, pages / 2, milliseconds * 5 / 2};
    struct task *tasks[] = {task_create("novel", read_all, &novel),
                            task_create("atlas", read_all, &atlas)};
    printf("sum of the page numbers: %ld\n", task_gather(tasks, 2, NULL));
    return 0;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Two async iterators read pages, turn by turn.",
                   ARGUMENTS(NUMBER("pages", &pages, 2, 100, "pages of the novel"),
                             NUMBER("ms", &milliseconds, 2, 1000, "wait for a page")));
    return (int)loop_run(start, NULL);
}
