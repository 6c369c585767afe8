/* CHECK: the samples teach concurrency, not error handling, yet an error must not pass unseen. */
#ifndef KIT_CHECK_H
#define KIT_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For calls that return an error number, as all of pthread does. */
#define CHECK(call)                                                                                \
    do {                                                                                           \
        int check_error = (call);                                                                  \
        if (check_error != 0)                                                                      \
            check_failed(#call, __FILE__, __LINE__, check_error);                                  \
    } while (0)

/* For system calls, which return -1 and set errno, and for what must be true. */
#define CHECK_SYSTEM(call) check_result((call), #call, __FILE__, __LINE__)
#define CHECK_TRUE(what)                                                                           \
    do {                                                                                           \
        if (!(what))                                                                               \
            check_failed(#what, __FILE__, __LINE__, errno);                                        \
    } while (0)

static inline _Noreturn void check_failed(const char *what, const char *file, int line, int error)
{
    fprintf(stderr, "%s:%d: %s failed: %s\n", file, line, what, strerror(error));
    exit(1);
}

static inline long check_result(long result, const char *what, const char *file, int line)
{
    if (result == -1)
        check_failed(what, file, line, errno);
    return result;
}

#endif
