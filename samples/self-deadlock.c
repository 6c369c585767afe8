/* self-deadlock: a thread waits for a lock that it holds itself. Hangs on purpose.
 *
 * Shows: a public function locks and calls another public function, which locks too. A normal mutex
 * does not count: the thread waits for itself, for ever.
 * Look for: a cycle of one thread and one lock, with the place where it was taken and the place
 * where it is wanted again. Cure: self-deadlock-fixed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static long entries = 3;

static void cache_clear(void)
{
    pthread_mutex_lock(&cache_lock);
    entries = 0;
    pthread_mutex_unlock(&cache_lock);
}

static void cache_add(long most)
{
    pthread_mutex_lock(&cache_lock);
    if (entries == most)
        cache_clear(); /* with the lock held */
    entries++;
    pthread_mutex_unlock(&cache_lock);
}

static void *use_cache(void *argument)
{
    cache_add(*(long *)argument);
    return NULL;
}

int main(int argc, char **argv)
{
    long most = 3;
    arguments_read(argc, argv, "A thread locks what it has locked, and waits for itself.",
                   ARGUMENTS(NUMBER("most", &most, 3, 3, "entries the cache may have")));
    thread_join(thread_start(use_cache, &most, "cache user"));
    printf("%ld entries\n", entries);
    return 0;
}
