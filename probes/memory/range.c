/* Functions of the C library that read or write whole ranges, called by instrumented code: the
 * compiler leaves these calls as they are. What other code does with them is its own business. */
#include "probes/memory/range.h"

#include <dlfcn.h>
#include <string.h>

#include "probes/memory/heap.h"
#include "probes/memory/memory.h"

#define INTERPOSE __attribute__((visibility("default")))
#define CALLER    ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* X(result, name, (parameters)) */
#define FUNCTIONS(X)                                                                               \
    X(void *, memcpy, (void *, const void *, size_t))                                              \
    X(void *, memmove, (void *, const void *, size_t))                                             \
    X(void *, memset, (void *, int, size_t))                                                       \
    X(int, memcmp, (const void *, const void *, size_t))                                           \
    X(int, bcmp, (const void *, const void *, size_t))                                             \
    X(void *, memchr, (const void *, int, size_t))                                                 \
    X(size_t, strlen, (const char *))                                                              \
    X(size_t, strnlen, (const char *, size_t))                                                     \
    X(char *, strcpy, (char *, const char *))                                                      \
    X(char *, stpcpy, (char *, const char *))                                                      \
    X(char *, strncpy, (char *, const char *, size_t))                                             \
    X(char *, strcat, (char *, const char *))                                                      \
    X(int, strcmp, (const char *, const char *))                                                   \
    X(int, strncmp, (const char *, const char *, size_t))                                          \
    X(char *, strchr, (const char *, int))

static struct {
#define FIELD(result, name, parameters) result(*name) parameters;
    FUNCTIONS(FIELD)
} real;

void reel_range_resolve(void)
{
#define FIND(result, name, parameters) real.name = (__typeof__(real.name))dlsym(RTLD_NEXT, #name);
    FUNCTIONS(FIND)
}

/* Before the real ones are known, and instead of calls that the compiler would make of loops. */
static void copy_bytes(char *to, const char *from, size_t size)
{
    if (to <= from)
        for (size_t i = 0; i < size; i++)
            ((volatile char *)to)[i] = from[i];
    else
        while (size-- > 0)
            ((volatile char *)to)[size] = from[size];
}

static bool looks(uint64_t pc)
{
    return atomic_load_explicit(&reel_memory.active, memory_order_relaxed) && reel_module_has(pc);
}

static void reads(const void *address, size_t size, uint64_t pc)
{
    reel_access_range((uintptr_t)address, size, 0, pc);
}

static void writes(const void *address, size_t size, uint64_t pc)
{
    reel_access_range((uintptr_t)address, size, REEL_TAG_WRITE, pc);
}

static void *copy(void *to, const void *from, size_t size, uint64_t pc)
{
    if (looks(pc)) {
        reads(from, size, pc);
        writes(to, size, pc);
    }
    if (REEL_LIKELY(real.memmove))
        return real.memmove(to, from, size);
    copy_bytes(to, from, size);
    return to;
}

static void *set(void *to, int value, size_t size, uint64_t pc)
{
    if (looks(pc))
        writes(to, size, pc);
    if (REEL_LIKELY(real.memset))
        return real.memset(to, value, size);
    for (size_t i = 0; i < size; i++)
        ((volatile char *)to)[i] = (char)value;
    return to;
}

void *reel_range_copy(void *to, const void *from, size_t size)
{
    return copy(to, from, size, CALLER);
}

void *reel_range_move(void *to, const void *from, size_t size)
{
    return copy(to, from, size, CALLER);
}

void *reel_range_set(void *to, int value, size_t size)
{
    return set(to, value, size, CALLER);
}

INTERPOSE
void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    if (REEL_LIKELY(real.memcpy) && !looks(CALLER))
        return real.memcpy(to, from, size);
    return copy(to, from, size, CALLER);
}

INTERPOSE
void *memmove(void *to, const void *from, size_t size)
{
    return copy(to, from, size, CALLER);
}

INTERPOSE
void *memset(void *to, int value, size_t size)
{
    return set(to, value, size, CALLER);
}

/* With checks of the target's size (_FORTIFY_SOURCE): the real ones end the program. */
#define CHECKED(name, parameters, arguments, body)                                                 \
    INTERPOSE void *__##name##_chk parameters;                                                     \
    void *__##name##_chk parameters                                                                \
    {                                                                                              \
        static void *(*checked)parameters;                                                         \
        if (REEL_LIKELY(size <= room))                                                             \
            return body;                                                                           \
        if (!checked)                                                                              \
            checked = (__typeof__(checked))dlsym(RTLD_NEXT, "__" #name "_chk");                    \
        return checked arguments;                                                                  \
    }
CHECKED(memcpy, (void *to, const void *from, size_t size, size_t room), (to, from, size, room),
        copy(to, from, size, CALLER))
CHECKED(memmove, (void *to, const void *from, size_t size, size_t room), (to, from, size, room),
        copy(to, from, size, CALLER))
CHECKED(memset, (void *to, int value, size_t size, size_t room), (to, value, size, room),
        set(to, value, size, CALLER))

static void resolve(void)
{
    if (REEL_UNLIKELY(!real.strlen))
        reel_heap_resolve();
}

INTERPOSE
int memcmp(const void *a, const void *b, size_t size)
{
    resolve();
    if (looks(CALLER)) {
        reads(a, size, CALLER);
        reads(b, size, CALLER);
    }
    return real.memcmp(a, b, size);
}

INTERPOSE
int bcmp(const void *a, const void *b, size_t size)
{
    resolve();
    if (looks(CALLER)) {
        reads(a, size, CALLER);
        reads(b, size, CALLER);
    }
    return real.bcmp(a, b, size);
}

INTERPOSE
void *memchr(const void *where, int what, size_t size)
{
    resolve();
    char *found = real.memchr(where, what, size);
    if (looks(CALLER))
        reads(where, found ? (size_t)(found - (const char *)where) + 1 : size, CALLER);
    return found;
}

INTERPOSE
size_t strlen(const char *text)
{
    resolve();
    size_t length = real.strlen(text);
    if (looks(CALLER))
        reads(text, length + 1, CALLER);
    return length;
}

INTERPOSE
char *strcpy(char *restrict to, const char *restrict from)
{
    resolve();
    if (looks(CALLER)) {
        size_t size = real.strlen(from) + 1;
        reads(from, size, CALLER);
        writes(to, size, CALLER);
    }
    return real.strcpy(to, from);
}

INTERPOSE
char *stpcpy(char *restrict to, const char *restrict from)
{
    resolve();
    if (looks(CALLER)) {
        size_t size = real.strlen(from) + 1;
        reads(from, size, CALLER);
        writes(to, size, CALLER);
    }
    return real.stpcpy(to, from);
}

INTERPOSE
char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
    resolve();
    if (looks(CALLER)) {
        size_t length = real.strnlen(from, size);
        reads(from, length < size ? length + 1 : size, CALLER);
        writes(to, size, CALLER);
    }
    return real.strncpy(to, from, size);
}

INTERPOSE
char *strcat(char *restrict to, const char *restrict from)
{
    resolve();
    if (looks(CALLER)) {
        size_t length = real.strlen(to), size = real.strlen(from) + 1;
        reads(to, length + 1, CALLER);
        reads(from, size, CALLER);
        writes(to + length, size, CALLER);
    }
    return real.strcat(to, from);
}

/* Up to the first difference, or the end. */
static void compared(const char *a, const char *b, size_t most, uint64_t pc)
{
    size_t size = 0;
    while (size < most && a[size] == b[size] && a[size])
        size++;
    size += size < most;
    reads(a, size, pc);
    reads(b, size, pc);
}

INTERPOSE
int strcmp(const char *a, const char *b)
{
    resolve();
    if (looks(CALLER))
        compared(a, b, SIZE_MAX, CALLER);
    return real.strcmp(a, b);
}

INTERPOSE
int strncmp(const char *a, const char *b, size_t most)
{
    resolve();
    if (looks(CALLER))
        compared(a, b, most, CALLER);
    return real.strncmp(a, b, most);
}

INTERPOSE
char *strchr(const char *text, int what)
{
    resolve();
    char *found = real.strchr(text, what);
    if (looks(CALLER))
        reads(text, (found ? (size_t)(found - text) : real.strlen(text)) + 1, CALLER);
    return found;
}
