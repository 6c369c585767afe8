/* System calls made directly: not through syscall(), which this library interposes, not through the
 * C library's wrappers, which are cancellation points and set errno. Returns a negative errno. */
#ifndef REEL_PRELOAD_RAW_H
#define REEL_PRELOAD_RAW_H

#include <errno.h>
#include <sys/syscall.h>

#include "probes/preload/real.h"

static inline long reel_raw4(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#else
    int saved = errno;
    long result = reel_real.syscall(number, a, b, c, d, 0L, 0L);
    if (result == -1)
        result = -errno;
    errno = saved;
    return result;
#endif
}

static inline long reel_raw(long number)
{
    return reel_raw4(number, 0, 0, 0, 0);
}

#endif
