#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void pause_ms(int milliseconds)
{
    struct timespec time = {.tv_sec = milliseconds / 1000,
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    nanosleep(&time, NULL);
}

pthread_t start(void *(*routine)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, routine, argument) != 0)
        abort();
    return thread;
}

void run_together(void *(*first)(void *), void *(*second)(void *), void *argument)
{
    pthread_t a = start(first, argument), b = start(second, argument);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

struct late {
    void *(*routine)(void *);
    void *argument;
};

static void *begin_late(void *data)
{
    struct late late = *(struct late *)data;
    pause_ms(20);
    return late.routine(late.argument);
}

void run_apart(void *(*first)(void *), void *(*second)(void *), void *argument)
{
    struct late late = {second, argument};
    pthread_t b = start(begin_late, &late), a = start(first, argument);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

void take_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

int main(int argc, char **argv)
{
    const struct matrix_case *const tables[] = {observed_cases, predicted_cases, misuse_cases};
    for (int t = 0; t < 3; t++)
        for (const struct matrix_case *one = tables[t]; one->name; one++) {
            if (argc == 2 && strcmp(argv[1], "--list") == 0)
                printf("%s\t%s\t%s\n", one->name, one->how, one->kinds);
            if (argc == 3 && strcmp(argv[1], one->name) == 0) {
                one->run(strcmp(argv[2], "guilty") == 0);
                return 0;
            }
        }
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return 0;
    fprintf(stderr, "usage: matrix --list | NAME guilty|innocent\n");
    return 2;
}
