/* deadlock-latent: two locks in opposite order, and yet no deadlock this time.
 *
 * Shows: the fault of deadlock-opposite in the form in which it is shipped: the two threads happen
 * to come one after the other, so every test passes. Wrong on purpose.
 * Look for: nothing waits; but the trace has both orders, no lock guards them and nothing orders
 * the two threads, so another run can hang: a deadlock that is proved, not observed. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

static pthread_mutex_t orders = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t stock = PTHREAD_MUTEX_INITIALIZER;
static long ordered, stocked = 10, balanced;
static long pause_ms = 50;

static void *sell(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&orders);
    pthread_mutex_lock(&stock);
    ordered++;
    stocked--;
    pthread_mutex_unlock(&stock);
    pthread_mutex_unlock(&orders);
    return NULL;
}

static void *take_inventory(void *unused)
{
    (void)unused;
    work_wait(pause_ms); /* luck, not order */
    pthread_mutex_lock(&stock);
    pthread_mutex_lock(&orders);
    balanced = ordered + stocked == 10;
    pthread_mutex_unlock(&orders);
    pthread_mutex_unlock(&stock);
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Two locks in opposite order, without bad luck.",
                   ARGUMENTS(NUMBER("ms", &pause_ms, 10, 1000, "between the two threads")));
    pthread_t seller = thread_start(sell, NULL, "seller");
    pthread_t clerk = thread_start(take_inventory, NULL, "clerk");
    thread_join(seller);
    thread_join(clerk);
    printf("%ld ordered, %ld in stock, %s\n", ordered, stocked, balanced ? "balanced" : "wrong");
    return 0;
}
