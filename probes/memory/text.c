/* More functions of the C library that read or write memory of the caller, called by instrumented
 * code: texts, numbers in texts, formatted output into buffers, sorting, input into buffers. Like
 * range.c; apart from it since nothing here is called before main or in a hurry. */
#include <features.h>
#undef __USE_EXTERN_INLINES /* atoi and its like are defined here, not in the header */

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))
#define CALLER    ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* The function that this one stands in front of. */
#define REAL(name)                                                                                 \
    static __typeof__(&name) real_##name;                                                          \
    if (REEL_UNLIKELY(!real_##name))                                                               \
    real_##name = (__typeof__(real_##name))dlsym(RTLD_NEXT, #name)

static bool looks(uint64_t pc)
{
    return atomic_load_explicit(&reel_memory.active, memory_order_relaxed) && reel_module_has(pc);
}

static void reads(const void *address, size_t size, uint64_t pc)
{
    if (looks(pc))
        reel_access_range((uintptr_t)address, size, 0, pc);
}

static void writes(const void *address, size_t size, uint64_t pc)
{
    if (looks(pc))
        reel_access_range((uintptr_t)address, size, REEL_TAG_WRITE, pc);
}

static size_t length_of(const char *text, size_t most)
{
    size_t length = 0;
    while (length < most && text[length])
        length++;
    return length;
}

static void reads_text(const char *text, uint64_t pc)
{
    if (looks(pc))
        reel_access_range((uintptr_t)text, length_of(text, SIZE_MAX) + 1, 0, pc);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Up to where they differ: what is behind that need not be there. */
static void compared(const char *a, const char *b, size_t most, uint64_t pc)
{
    size_t size = 0;
    if (!looks(pc))
        return;
    while (size < most && lower(a[size]) == lower(b[size]) && a[size])
        size++;
    size += size < most;
    reads(a, size, pc);
    reads(b, size, pc);
}

/* What comes from a stream may be why this thread may go on. */
static void hears_stream(uint64_t pc)
{
    struct reel_self *self = &reel_self;
    if (!looks(pc) || !reel_work_begin(self))
        return;
    if (reel_access_ready(self))
        reel_self_see_all(self);
    reel_work_end(self);
}

/* Copies and searches. These names are macros, or inline, in some headers: declared here. */
#define READS_TEXTS(result, name, parameters, arguments, read)                                     \
    INTERPOSE result name parameters;                                                              \
    result name parameters                                                                         \
    {                                                                                              \
        REAL(name);                                                                                \
        read;                                                                                      \
        return real_##name arguments;                                                              \
    }
READS_TEXTS(char *, strdup, (const char *text), (text), reads_text(text, CALLER))
READS_TEXTS(char *, __strdup, (const char *text), (text), reads_text(text, CALLER))
READS_TEXTS(char *, strndup, (const char *text, size_t size), (text, size),
            reads(text, length_of(text, size), CALLER))
READS_TEXTS(char *, strrchr, (const char *text, int what), (text, what), reads_text(text, CALLER))
READS_TEXTS(char *, strstr, (const char *text, const char *what), (text, what),
            (reads_text(text, CALLER), reads_text(what, CALLER)))
READS_TEXTS(int, strcasecmp, (const char *a, const char *b), (a, b),
            (reads_text(a, CALLER), reads_text(b, CALLER)))
READS_TEXTS(int, strncasecmp, (const char *a, const char *b, size_t size), (a, b, size),
            compared(a, b, size, CALLER))
READS_TEXTS(size_t, strspn, (const char *text, const char *set), (text, set),
            (reads_text(text, CALLER), reads_text(set, CALLER)))
READS_TEXTS(size_t, strcspn, (const char *text, const char *set), (text, set),
            (reads_text(text, CALLER), reads_text(set, CALLER)))
READS_TEXTS(void *, memmem, (const void *memory, size_t size, const void *what, size_t length),
            (memory, size, what, length),
            (reads(memory, size, CALLER), reads(what, length, CALLER)))
READS_TEXTS(int, atoi, (const char *text), (text), reads_text(text, CALLER))
READS_TEXTS(long, atol, (const char *text), (text), reads_text(text, CALLER))
READS_TEXTS(long long, atoll, (const char *text), (text), reads_text(text, CALLER))
READS_TEXTS(double, atof, (const char *text), (text), reads_text(text, CALLER))

/* Numbers: up to where they end. */
#define READS_NUMBER(result, name, parameters, ...)                                                \
    INTERPOSE result name parameters;                                                              \
    result name parameters                                                                         \
    {                                                                                              \
        REAL(name);                                                                                \
        char *stopped = NULL;                                                                      \
        result value = real_##name(__VA_ARGS__);                                                   \
        if (end)                                                                                   \
            *end = stopped;                                                                        \
        reads(text, stopped ? (size_t)(stopped - text) + 1 : 0, CALLER);                           \
        return value;                                                                              \
    }
READS_NUMBER(long, strtol, (const char *restrict text, char **restrict end, int base), text,
             &stopped, base)
READS_NUMBER(long long, strtoll, (const char *restrict text, char **restrict end, int base), text,
             &stopped, base)
READS_NUMBER(unsigned long, strtoul, (const char *restrict text, char **restrict end, int base),
             text, &stopped, base)
READS_NUMBER(unsigned long long, strtoull,
             (const char *restrict text, char **restrict end, int base), text, &stopped, base)
READS_NUMBER(double, strtod, (const char *restrict text, char **restrict end), text, &stopped)
READS_NUMBER(float, strtof, (const char *restrict text, char **restrict end), text, &stopped)

/* Formatted output. `limit`: of the buffer, when it is known. */
static int formatted(char *to, size_t limit, int length, uint64_t pc)
{
    if (length >= 0 && limit)
        writes(to, (size_t)length < limit ? (size_t)length + 1 : limit, pc);
    return length;
}

INTERPOSE int vsnprintf(char *restrict to, size_t size, const char *restrict format, va_list list)
{
    REAL(vsnprintf);
    return formatted(to, size, real_vsnprintf(to, size, format, list), CALLER);
}

INTERPOSE int vsprintf(char *restrict to, const char *restrict format, va_list list)
{
    REAL(vsprintf);
    return formatted(to, SIZE_MAX, real_vsprintf(to, format, list), CALLER);
}

INTERPOSE int snprintf(char *restrict to, size_t size, const char *restrict format, ...)
{
    REAL(vsnprintf);
    va_list list;
    va_start(list, format);
    int length = real_vsnprintf(to, size, format, list);
    va_end(list);
    return formatted(to, size, length, CALLER);
}

INTERPOSE int sprintf(char *restrict to, const char *restrict format, ...)
{
    REAL(vsprintf);
    va_list list;
    va_start(list, format);
    int length = real_vsprintf(to, format, list);
    va_end(list);
    return formatted(to, SIZE_MAX, length, CALLER);
}

INTERPOSE int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format,
                              va_list list);
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list list)
{
    REAL(__vsnprintf_chk);
    return formatted(to, size, real___vsnprintf_chk(to, size, flag, room, format, list), CALLER);
}

INTERPOSE int __vsprintf_chk(char *to, int flag, size_t room, const char *format, va_list list);
int __vsprintf_chk(char *to, int flag, size_t room, const char *format, va_list list)
{
    REAL(__vsprintf_chk);
    return formatted(to, SIZE_MAX, real___vsprintf_chk(to, flag, room, format, list), CALLER);
}

INTERPOSE int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...);
int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
    REAL(__vsnprintf_chk);
    va_list list;
    va_start(list, format);
    int length = real___vsnprintf_chk(to, size, flag, room, format, list);
    va_end(list);
    return formatted(to, size, length, CALLER);
}

INTERPOSE int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...);
int __sprintf_chk(char *to, int flag, size_t room, const char *format, ...)
{
    REAL(__vsprintf_chk);
    va_list list;
    va_start(list, format);
    int length = real___vsprintf_chk(to, flag, room, format, list);
    va_end(list);
    return formatted(to, SIZE_MAX, length, CALLER);
}

/* The program's own comparison is instrumented; moving the items is not. */
INTERPOSE void qsort(void *items, size_t count, size_t size,
                     int (*compare)(const void *, const void *))
{
    REAL(qsort);
    if (count > 1)
        writes(items, count * size, CALLER);
    real_qsort(items, count, size, compare);
}

/* Input and output through buffers of the C library. */
INTERPOSE char *fgets(char *restrict to, int size, FILE *restrict stream)
{
    REAL(fgets);
    char *got = real_fgets(to, size, stream);
    if (got && size > 0) {
        writes(to, length_of(to, (size_t)size - 1) + 1, CALLER);
        hears_stream(CALLER);
    }
    return got;
}

INTERPOSE size_t fread(void *restrict to, size_t size, size_t count, FILE *restrict stream)
{
    REAL(fread);
    size_t got = real_fread(to, size, count, stream);
    if (got && size) {
        writes(to, got * size, CALLER);
        hears_stream(CALLER);
    }
    return got;
}

INTERPOSE size_t fwrite(const void *restrict from, size_t size, size_t count, FILE *restrict stream)
{
    REAL(fwrite);
    reads(from, size * count, CALLER);
    return real_fwrite(from, size, count, stream);
}

INTERPOSE int fputs(const char *restrict text, FILE *restrict stream)
{
    REAL(fputs);
    reads_text(text, CALLER);
    return real_fputs(text, stream);
}

INTERPOSE int puts(const char *text)
{
    REAL(puts);
    reads_text(text, CALLER);
    return real_puts(text);
}
