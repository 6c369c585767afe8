/* thread-cancel: a thread is told to end while it waits, and leaves nothing locked behind.
 *
 * Shows: pthread_cancel takes effect where the thread waits. A cleanup handler gives back what it
 * holds: a cancelled condition wait owns its mutex again, and without the handler would keep it.
 * Look for: the cancel that main sends, the wait that it ends, the lock released by the handler;
 * the thread's end says "cancelled". */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_mutex_t mailbox = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t mail_came = PTHREAD_COND_INITIALIZER;
static long letters, released;

static void give_back(void *lock)
{
    released++;
    pthread_mutex_unlock(lock);
}

static void *wait_for_mail(void *argument)
{
    long *taken = argument;
    pthread_mutex_lock(&mailbox);
    pthread_cleanup_push(give_back, &mailbox);
    for (;;) {
        while (letters == 0)
            pthread_cond_wait(&mail_came, &mailbox); /* here it is cancelled */
        letters--;
        ++*taken;
    }
    pthread_cleanup_pop(1);
    return NULL;
}

int main(int argc, char **argv)
{
    long count = 3, taken = 0;
    arguments_read(argc, argv, "A thread that waits for ever is cancelled, and tidies up.",
                   ARGUMENTS(NUMBER("letters", &count, 0, 1000, "before it is cancelled")));
    pthread_t reader = thread_start(wait_for_mail, &taken, "reader");
    for (long i = 0; i < count; i++) {
        pthread_mutex_lock(&mailbox);
        letters++;
        pthread_cond_signal(&mail_came);
        pthread_mutex_unlock(&mailbox);
        work_wait(5);
    }
    for (long left = 1; left > 0; work_wait(1)) { /* until it has read them all */
        pthread_mutex_lock(&mailbox);
        left = letters;
        pthread_mutex_unlock(&mailbox);
    }
    CHECK(pthread_cancel(reader));
    printf("the reader was %s\n",
           thread_join(reader) == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    printf("%ld letters read, the mailbox given back %ld time\n", taken, released);
    CHECK(pthread_mutex_lock(&mailbox));
    CHECK(pthread_mutex_unlock(&mailbox));
    return 0;
}
