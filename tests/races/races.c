/* Runs a case: see races.h. */
#include "races.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

pthread_t start(void *(*routine)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, routine, argument) != 0)
        abort();
    return thread;
}

void pause_ms(int milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

struct late {
    void *(*routine)(void *);
    void *argument;
};

static void *begin_late(void *data)
{
    struct late late = *(struct late *)data;
    pause_ms(5);
    return late.routine(late.argument);
}

void run_apart(void *(*first)(void *), void *(*second)(void *), void *argument)
{
    struct late late = {second, argument};
    pthread_t b = start(begin_late, &late), a = start(first, argument);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

#define NOT_SEEN __attribute__((no_sanitize("thread"), noinline))

static volatile bool first_is_over;

NOT_SEEN static void end_first(void)
{
    first_is_over = true;
}

NOT_SEEN static bool is_first_over(void)
{
    return first_is_over;
}

static void *run_first(void *routine)
{
    ((struct late *)routine)->routine(NULL);
    end_first();
    return NULL;
}

static void *run_second(void *routine)
{
    while (!is_first_over())
        pause_ms(1);
    return ((struct late *)routine)->routine(NULL);
}

void run_after(void *(*first)(void *), void *(*second)(void *))
{
    struct late one = {first, NULL}, other = {second, NULL};
    pthread_t b = start(run_second, &other), a = start(run_first, &one);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

int run_cases(int argc, char **argv, const struct race_case *const *tables)
{
    for (; *tables; tables++)
        for (const struct race_case *one = *tables; one->name; one++) {
            if (argc == 2 && strcmp(argv[1], "--list") == 0)
                printf("%s\t%s\n", one->name, one->about);
            if (argc == 3 && strcmp(argv[1], one->name) == 0) {
                one->run(strcmp(argv[2], "guilty") == 0);
                return 0;
            }
        }
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return 0;
    fprintf(stderr, "usage: %s --list | NAME guilty|innocent\n", argv[0]);
    return 2;
}
