/* file-lock: processes that share nothing but a file take turns by locking it.
 *
 * Shows: flock belongs to the open file, so each process opens the file itself. Read, add one,
 * write back: under the lock the three are one step, as with any other lock.
 * Look for: one lock, the file, handed from process to process; who waits for it and how long. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/work.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define MOST 32

static char path[] = P_tmpdir "/reel-sample-XXXXXX";
static long rounds = 20;

static int count(void *unused)
{
    (void)unused;
    int file = (int)CHECK_SYSTEM(open(path, O_RDWR | O_CLOEXEC));
    for (long i = 0; i < rounds; i++) {
        long counter;
        CHECK_SYSTEM(flock(file, LOCK_EX));
        CHECK_TRUE(pread(file, &counter, sizeof counter, 0) == sizeof counter);
        counter++;
        work_wait(1);
        CHECK_TRUE(pwrite(file, &counter, sizeof counter, 0) == sizeof counter);
        CHECK_SYSTEM(flock(file, LOCK_UN));
    }
    close(file);
    return 0;
}

int main(int argc, char **argv)
{
    long processes = 3, counter = 0;
    arguments_read(argc, argv, "Processes count in a file, under its lock.",
                   ARGUMENTS(NUMBER("processes", &processes, 1, MOST, "how many"),
                             NUMBER("rounds", &rounds, 1, 10000, "of each")));
    int file = (int)CHECK_SYSTEM(mkstemp(path));
    process_write(file, &counter, sizeof counter);

    pid_t children[MOST];
    for (long i = 0; i < processes; i++)
        children[i] = process_start(count, NULL, "counter");
    for (long i = 0; i < processes; i++)
        CHECK_TRUE(process_wait(children[i]) == 0);

    CHECK_TRUE(pread(file, &counter, sizeof counter, 0) == sizeof counter);
    printf("expected %ld, counted %ld\n", processes * rounds, counter);
    close(file);
    CHECK_SYSTEM(unlink(path));
    return 0;
}
