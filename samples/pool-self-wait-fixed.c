/* pool-self-wait-fixed: a pool for each level, and no task waits for its own.
 *
 * Shows: the twin of pool-self-wait: folders are read by one pool, files by another; the second
 * never waits for the first, so somebody can always go on.
 * Look for: two pools; workers of the first wait for results, those of the second never do. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/pool.h"
#include "kit/work.h"

static struct pool *folder_pool, *file_pool;

static long read_file(void *unused)
{
    (void)unused;
    work_wait(5);
    return 100;
}

static long read_folder(void *unused)
{
    (void)unused;
    work_wait(30);
    return future_take(pool_submit(file_pool, "file", read_file, NULL));
}

int main(int argc, char **argv)
{
    long workers = 2, folders = 6;
    arguments_read(argc, argv, "Two pools: one waits for the other, never for itself.",
                   ARGUMENTS(NUMBER("workers", &workers, 1, 16, "of each pool"),
                             NUMBER("folders", &folders, 1, 64, "to read")));
    long results[64], unused[64] = {0}, sum = 0;
    folder_pool = pool_new(workers, "folders");
    file_pool = pool_new(workers, "files");
    pool_map(folder_pool, "folder", read_folder, unused, sizeof unused[0], folders, results);
    for (long i = 0; i < folders; i++)
        sum += results[i];
    printf("%ld folders, %ld bytes\n", folders, sum);
    pool_free(folder_pool);
    pool_free(file_pool);
    return 0;
}
