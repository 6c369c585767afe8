/* sscanf, as instrumented code calls it: reads a text, and writes where its arguments point, as
 * much as the conversions say that it did. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))
#define CALLER    ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* One conversion: what it writes. */
struct conversion {
    char kind;      /* the letter; '[' for a set; 0: no more */
    bool assigns;   /* not %*d, not %% */
    bool allocates; /* %ms: the argument gets a pointer */
    size_t width, bytes;
};

static size_t bytes_of(const char *modifier, size_t length, char kind)
{
    if (kind == 'p')
        return sizeof(void *);
    if (memchr("aAeEfFgG", kind, 8))
        return length == 0        ? sizeof(float)
               : *modifier == 'L' ? sizeof(long double)
                                  : sizeof(double);
    if (length == 2)
        return *modifier == 'h' ? 1 : 8;
    if (length == 1)
        return *modifier == 'h' ? 2 : 8; /* l, L, q, j, z, t */
    return sizeof(int);
}

/* Reads the next conversion; returns what follows it. */
static const char *next(const char *format, struct conversion *conversion)
{
    *conversion = (struct conversion){0};
    while (*format && *format != '%')
        format++;
    if (!*format)
        return format;
    format++;
    conversion->assigns = *format != '*' && *format != '%';
    format += *format == '*';
    while (*format >= '0' && *format <= '9')
        conversion->width = conversion->width * 10 + (size_t)(*format++ - '0');
    if (*format == '$') /* numbered arguments: rare, and not followed */
        return format;
    const char *modifier = format;
    while (*format && strchr("hlLqjztm", *format))
        conversion->allocates |= *format++ == 'm';
    conversion->kind = *format;
    conversion->bytes = bytes_of(modifier, (size_t)(format - modifier), *format);
    if (*format == '[') {
        format += format[1] == '^' ? 2 : 1;
        format += *format == ']';
        while (*format && *format != ']')
            format++;
    }
    return *format ? format + 1 : format;
}

static size_t written(const struct conversion *conversion, const char *to)
{
    if (conversion->allocates)
        return sizeof(char *);
    if (conversion->kind == 's' || conversion->kind == '[')
        return conversion->bytes == sizeof(int) ? strlen(to) + 1
                                                : 0; /* wide ones are not followed */
    if (conversion->kind == 'c')
        return conversion->width ? conversion->width : 1;
    return conversion->bytes;
}

static void scanned(const char *text, const char *format, int assigned, va_list list, uint64_t pc)
{
    struct conversion conversion;
    if (!atomic_load_explicit(&reel_memory.active, memory_order_relaxed) || !reel_module_has(pc))
        return;
    reel_access_range((uintptr_t)text, strlen(text) + 1, 0, pc);
    while ((format = next(format, &conversion)), conversion.kind && assigned > 0) {
        if (!conversion.assigns)
            continue;
        const char *to = va_arg(list, const char *);
        reel_access_range((uintptr_t)to, written(&conversion, to), REEL_TAG_WRITE, pc);
        assigned -= conversion.kind != 'n';
    }
}

/* By their names in the library: the header gives the one name to the other function. */
#define SCAN(name, symbol, through)                                                                \
    INTERPOSE int name(const char *restrict text, const char *restrict format,                     \
                       ...) __asm__(symbol);                                                       \
    int name(const char *restrict text, const char *restrict format, ...)                          \
    {                                                                                              \
        static int (*real)(const char *, const char *, va_list);                                   \
        va_list list, again;                                                                       \
        if (REEL_UNLIKELY(!real))                                                                  \
            real = (__typeof__(real))dlsym(RTLD_NEXT, through);                                    \
        va_start(list, format);                                                                    \
        va_copy(again, list);                                                                      \
        int assigned = real(text, format, list);                                                   \
        scanned(text, format, assigned, again, CALLER);                                            \
        va_end(again);                                                                             \
        va_end(list);                                                                              \
        return assigned;                                                                           \
    }
SCAN(scan_new, "__isoc99_sscanf", "__isoc99_vsscanf")
SCAN(scan_old, "sscanf", "vsscanf")
