/* gate-lock: two locks in opposite order, harmless, because a third one guards both.
 *
 * Shows: the innocent twin of deadlock-latent: whoever wants both locks first takes the gate, so
 * the two orders can never meet. (One order would be simpler still.)
 * Look for: both orders in the trace, and no finding: a detector that cries here is wrong. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t orders = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t stock = PTHREAD_MUTEX_INITIALIZER;
static long ordered, stocked, wrong;
static long rounds = 1000;

static void *sell(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&gate);
        pthread_mutex_lock(&orders);
        pthread_mutex_lock(&stock);
        ordered++;
        stocked--;
        pthread_mutex_unlock(&stock);
        pthread_mutex_unlock(&orders);
        pthread_mutex_unlock(&gate);
    }
    return NULL;
}

static void *take_inventory(void *unused)
{
    (void)unused;
    for (long i = 0; i < rounds; i++) {
        pthread_mutex_lock(&gate);
        pthread_mutex_lock(&stock);
        pthread_mutex_lock(&orders);
        wrong += ordered + stocked != 0;
        pthread_mutex_unlock(&orders);
        pthread_mutex_unlock(&stock);
        pthread_mutex_unlock(&gate);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "Two locks in opposite order, behind a gate.",
                   ARGUMENTS(NUMBER("rounds", &rounds, 1, 1000000, "of each thread")));
    pthread_t seller = thread_start(sell, NULL, "seller");
    pthread_t clerk = thread_start(take_inventory, NULL, "clerk");
    thread_join(seller);
    thread_join(clerk);
    printf("%ld ordered, %ld inventories, %ld of them wrong\n", ordered, rounds, wrong);
    return 0;
}
