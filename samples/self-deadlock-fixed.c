/* self-deadlock-fixed: inner functions that expect the lock to be held.
 *
 * Shows: the twin of self-deadlock. Public functions lock; they call inner ones, named _locked,
 * which do not. (A recursive mutex also ends the hang, but lets others see the work half done.)
 * Look for: one lock, taken once by each call, and no finding. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static long entries;

static void cache_clear_locked(void)
{
    entries = 0;
}

static void cache_add(long most)
{
    pthread_mutex_lock(&cache_lock);
    if (entries == most)
        cache_clear_locked();
    entries++;
    pthread_mutex_unlock(&cache_lock);
}

static void *use_cache(void *argument)
{
    for (int i = 0; i < 100; i++)
        cache_add(*(long *)argument);
    return NULL;
}

int main(int argc, char **argv)
{
    long most = 7;
    arguments_read(argc, argv, "A cache whose inner functions do not lock again.",
                   ARGUMENTS(NUMBER("most", &most, 1, 100, "entries the cache may have")));
    pthread_t first = thread_start(use_cache, &most, "cache user 1");
    pthread_t second = thread_start(use_cache, &most, "cache user 2");
    thread_join(first);
    thread_join(second);
    printf("%ld entries\n", entries);
    return 0;
}
