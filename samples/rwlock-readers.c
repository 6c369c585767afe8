/* rwlock-readers: many may read at once, a writer is alone.
 *
 * Shows: readers share a read-write lock; the writer waits until the last of them is out, and keeps
 * them out while it writes. The two halves of the value always agree.
 * Look for: read holds that overlap, write holds that never do; how long the writer waits. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static long version, copy_of_version;
static long rounds = 40;

static void *read_table(void *argument)
{
    long *torn = argument;
    for (long i = 0; i < rounds; i++) {
        pthread_rwlock_rdlock(&table_lock);
        long seen = version;
        work_wait(2); /* look something up */
        *torn += seen != copy_of_version;
        pthread_rwlock_unlock(&table_lock);
        work_wait(1);
    }
    return NULL;
}

static void *update_table(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds / 4; i++) {
        pthread_rwlock_wrlock(&table_lock);
        version++;
        work_wait(2);
        copy_of_version = version;
        pthread_rwlock_unlock(&table_lock);
        work_wait(5);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    long readers = 4, torn[32] = {0}, all = 0;
    arguments_read(argc, argv, "Readers share a lock that the writer has alone.",
                   ARGUMENTS(NUMBER("readers", &readers, 1, 32, "threads that read"),
                             NUMBER("rounds", &rounds, 4, 10000, "reads of each")));
    pthread_t writer = thread_start(update_table, NULL, "writer");
    thread_crew(readers, "reader", read_table, torn, sizeof torn[0]);
    thread_join(writer);
    for (long i = 0; i < readers; i++)
        all += torn[i];
    printf("%ld reads by %ld readers, %ld versions, %ld torn\n", readers * rounds, readers, version,
           all);
    CHECK(pthread_rwlock_destroy(&table_lock));
    return 0;
}
