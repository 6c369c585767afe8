/* Threads with a name: see thread.h. */
#include "thread.h"

#include "check.h"

#include <stdarg.h>

pthread_t thread_start(void *(*routine)(void *argument), void *argument, const char *name, ...)
{
    char text[16];
    va_list list;
    va_start(list, name);
    vsnprintf(text, sizeof text, name, list);
    va_end(list);

    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, routine, argument));
    pthread_setname_np(thread, text); /* a thread that has already ended needs no name */
    return thread;
}

void *thread_join(pthread_t thread)
{
    void *result;
    CHECK(pthread_join(thread, &result));
    return result;
}

void thread_crew(long count, const char *name, void *(*routine)(void *argument), void *first,
                 unsigned long size)
{
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    CHECK_TRUE(threads != NULL);
    for (long i = 0; i < count; i++)
        threads[i] =
            thread_start(routine, (char *)first + (unsigned long)i * size, "%s %ld", name, i + 1);
    for (long i = 0; i < count; i++)
        thread_join(threads[i]);
    free(threads);
}
