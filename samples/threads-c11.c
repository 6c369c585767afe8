/* threads-c11: the same ideas with the threads of the C language itself.
 *
 * Shows: thrd_create, mtx_t, cnd_t and call_once of <threads.h>. Passengers arrive one by one; the
 * bus waits on a condition until it is full. Whoever comes first opens the door, once.
 * Look for: mutex and condition are shown like those of pthread; one "once" that only one thread
 * runs; the bus waits until the last passenger signals. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/work.h"

#include <threads.h>

#define MOST 64

static once_flag door = ONCE_FLAG_INIT;
static mtx_t bus_lock;
static cnd_t bus_full;
static long aboard, seats = 5;

static void open_door(void)
{
    printf("the door opens\n");
}

static int passenger(void *argument)
{
    work_wait(*(long *)argument);
    call_once(&door, open_door);
    mtx_lock(&bus_lock);
    aboard++;
    if (aboard == seats)
        cnd_signal(&bus_full);
    mtx_unlock(&bus_lock);
    return 0;
}

static int bus(void *unused)
{
    (void)unused;
    mtx_lock(&bus_lock);
    while (aboard < seats)
        cnd_wait(&bus_full, &bus_lock);
    printf("the bus leaves with %ld passengers\n", aboard);
    mtx_unlock(&bus_lock);
    return (int)aboard;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "C11 threads: a bus waits until all seats are taken.",
                   ARGUMENTS(NUMBER("seats", &seats, 1, MOST, "passengers")));
    CHECK(mtx_init(&bus_lock, mtx_plain) != thrd_success);
    CHECK(cnd_init(&bus_full) != thrd_success);

    thrd_t driver, passengers[MOST];
    long delays[MOST];
    CHECK(thrd_create(&driver, bus, NULL) != thrd_success);
    for (long i = 0; i < seats; i++) {
        delays[i] = 20 * (i + 1);
        CHECK(thrd_create(&passengers[i], passenger, &delays[i]) != thrd_success);
    }
    for (long i = 0; i < seats; i++)
        CHECK(thrd_join(passengers[i], NULL) != thrd_success);
    int carried;
    CHECK(thrd_join(driver, &carried) != thrd_success);
    printf("%d arrived\n", carried);
    cnd_destroy(&bus_full);
    mtx_destroy(&bus_lock);
    return 0;
}
