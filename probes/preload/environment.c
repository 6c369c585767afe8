#include "probes/preload/environment.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "probes/preload/descriptor.h"
#include "probes/preload/exec.h"
#include "probes/preload/instrumented.h"
#include "probes/preload/probe.h"
#include "probes/preload/raw.h"

#define LIBRARY         "libreel-probe.so"
#define PRELOAD         "LD_PRELOAD="
#define REGION          "REEL_REGION="
#define MEMORY_LIBRARY  "libreel-memory.so"
#define BLOCK_LIBRARY   "libreel-block.so"
#define MEMORY          "REEL_MEMORY=" /* a path; behind a '+' when every image shall have it */
#define DESCRIPTORS     "REEL_FDS="
#define DESCRIPTORS_LEN (sizeof DESCRIPTORS - 1)
#define PRELOAD_LEN     (sizeof PRELOAD - 1)
#define REGION_LEN      (sizeof REGION - 1)
#define MEMORY_LEN      (sizeof MEMORY - 1)
#define ENTRY_LIMIT     4352
/* AddressSanitizer refuses to start when a library comes before its runtime, unless told not to
 * look. (Users write 0: this one is ours.) */
#define SANITIZER         "ASAN_OPTIONS="
#define SANITIZER_ADDED   "verify_asan_link_order=no"
#define SANITIZER_LEN     (sizeof SANITIZER - 1)
#define SANITIZER_ADD_LEN (sizeof SANITIZER_ADDED - 1)

static bool has_prefix(const char *text, const char *prefix, size_t length)
{
    return strncmp(text, prefix, length) == 0;
}

/* The length of the first entry of a preload list if it is that library, else 0. */
static size_t first_is(const char *list, const char *library)
{
    size_t length = strcspn(list, ": "), name = strlen(library);
    return length >= name && memcmp(list + length - name, library, name) == 0 ? length : 0;
}

/* Splits `list`: our library, which always comes first, goes to `ours`, what follows its separator,
 * as it is, to `others`. The library of probes/memory, or that of watched_block.c, which may be
 * second, goes too. False: nothing follows. */
static bool split_preload(const char *list, char *ours, char *others)
{
    size_t length = first_is(list, LIBRARY);
    ours[0] = others[0] = '\0';
    if (!length)
        return true;
    memcpy(ours, list, length);
    ours[length] = '\0';
    list += length;
    if (*list) {
        size_t memory = first_is(list + 1, MEMORY_LIBRARY);
        if (!memory)
            memory = first_is(list + 1, BLOCK_LIBRARY);
        list += memory ? memory + 1 : 0;
    }
    if (*list)
        strcpy(others, list + 1);
    return *list;
}

/* Cuts off what was added; false: nothing is left. */
static bool take_sanitizer(char *entry)
{
    size_t length = strlen(entry);
    if (length < SANITIZER_LEN + SANITIZER_ADD_LEN)
        return true;
    char *added = entry + length - SANITIZER_ADD_LEN;
    if (strcmp(added, SANITIZER_ADDED) != 0)
        return true;
    if (added == entry + SANITIZER_LEN)
        return false;
    added[-1] = '\0'; /* the separator */
    return true;
}

const char *reel_environment_take(char environment[3][4352], char original[4096])
{
    static char restored[ENTRY_LIMIT]; /* what `environ` points to afterwards */
    char ours[4096];
    const char *region = NULL, *descriptors = NULL;
    if (!environ)
        return NULL;
    for (char **entry = environ; *entry; entry++)
        if (has_prefix(*entry, REGION, REGION_LEN) && strlen(*entry) < ENTRY_LIMIT)
            region = *entry;
    if (!region)
        return NULL;
    memcpy(environment[1], region, strlen(region) + 1);
    char **kept = environ;
    for (char **entry = environ; *entry; entry++) {
        if (has_prefix(*entry, REGION, REGION_LEN))
            continue;
        if (has_prefix(*entry, MEMORY, MEMORY_LEN) && strlen(*entry) < ENTRY_LIMIT) {
            memcpy(environment[2], *entry, strlen(*entry) + 1);
            continue;
        }
        if (has_prefix(*entry, DESCRIPTORS, DESCRIPTORS_LEN)) {
            descriptors = *entry + DESCRIPTORS_LEN;
            continue;
        }
        if (has_prefix(*entry, PRELOAD, PRELOAD_LEN) && strlen(*entry) < 4096) {
            bool more = split_preload(*entry + PRELOAD_LEN, ours, original);
            if (ours[0]) {
                memcpy(environment[0], PRELOAD, PRELOAD_LEN);
                memcpy(environment[0] + PRELOAD_LEN, ours, strlen(ours) + 1);
                /* Nothing but ours: as it was, unset; or, with a separator left, set to nothing. */
                if (!original[0] && !more)
                    continue;
                memcpy(restored, PRELOAD, PRELOAD_LEN);
                memcpy(restored + PRELOAD_LEN, original, strlen(original) + 1);
                *kept++ = restored;
                continue;
            }
        }
        if (has_prefix(*entry, SANITIZER, SANITIZER_LEN) && !take_sanitizer(*entry))
            continue;
        *kept++ = *entry;
    }
    *kept = NULL;
    reel_descriptors_inherit(descriptors);
    return environment[0][0] ? environment[1] + REGION_LEN : NULL;
}

static const char *find(char *const *environment, const char *prefix, size_t length)
{
    for (; environment && *environment; environment++)
        if (has_prefix(*environment, prefix, length))
            return *environment;
    return NULL;
}

bool reel_environment_follows(char *const *environment)
{
    if (!reel_probe.region || !reel_probe.region->follow || !reel_probe.environment[0][0])
        return false;
    /* We took ours out: this one comes from the program, which is a recorder itself. */
    if (find(environment, REGION, REGION_LEN))
        return false;
    /* After a chroot, or with another user's rights, the library may be out of reach: the loader
     * would complain on the program's standard error. */
    return reel_probe.filtered ||
           reel_raw4(SYS_faccessat, AT_FDCWD, (long)(reel_probe.environment[0] + PRELOAD_LEN), R_OK,
                     0) == 0;
}

#define FIXED_ENTRIES 6 /* LD_PRELOAD, REEL_REGION, REEL_FDS, REEL_MEMORY, ASAN_OPTIONS, NULL */

/* The path of the library for images that tell their accesses, when this is one; else NULL. */
static const char *memory_library(const char *file)
{
    if (!reel_probe.environment[2][0])
        return NULL;
    const char *path = reel_probe.environment[2] + MEMORY_LEN;
    if (*path == '+')
        return path + 1;
    return reel_is_instrumented(file) ? path : NULL;
}

struct reel_environment_size reel_environment_measure(char *const *environment, const char *file)
{
    const char *memory = memory_library(file);
    struct reel_environment_size size = {.entries = FIXED_ENTRIES};
    while (environment && environment[size.entries - FIXED_ENTRIES])
        size.entries++;
    const char *theirs = find(environment, PRELOAD, PRELOAD_LEN);
    size.memory = memory != NULL;
    if (theirs || memory)
        size.preload = strlen(reel_probe.environment[0]) + 1 + (memory ? strlen(memory) + 1 : 0) +
                       (theirs ? strlen(theirs) + 1 : 0);
    const char *options = find(environment, SANITIZER, SANITIZER_LEN);
    size.sanitizer = options ? strlen(options) + 1 + SANITIZER_ADD_LEN + 1 : 0;
    size.descriptors = reel_descriptors_size();
    return size;
}

void reel_environment_with(char *const *environment, const struct reel_environment_size *size,
                           char **out, char *text)
{
    char *ours = reel_probe.environment[0]; /* "LD_PRELOAD=/path/libreel-probe.so" */
    char *descriptors = text + size->preload;
    if (size->preload) {
        char *end = stpcpy(text, ours);
        if (size->memory) {
            const char *memory = reel_probe.environment[2] + MEMORY_LEN;
            *end++ = ':';
            end = stpcpy(end, memory + (*memory == '+'));
        }
        ours = text;
    }
    reel_descriptors_write(descriptors, size->descriptors);
    *out++ = reel_probe.environment[1];
    *out++ = descriptors;
    if (reel_probe.environment[2][0])
        *out++ = reel_probe.environment[2];
    char **preload =
        out++; /* unless theirs comes: that keeps its place, the next image sees it there */
    *preload = ours;
    if (!size->sanitizer)
        *out++ = (char *)SANITIZER SANITIZER_ADDED;
    bool first = true, first_options = true;
    for (; environment && *environment; environment++) {
        if (first_options && has_prefix(*environment, SANITIZER, SANITIZER_LEN)) {
            first_options = false;
            char *options = descriptors + size->descriptors;
            *out++ = options;
            options = stpcpy(options, *environment);
            if ((*environment)[SANITIZER_LEN])
                *options++ = ':';
            strcpy(options, SANITIZER_ADDED);
            continue;
        }
        if (!first || !has_prefix(*environment, PRELOAD, PRELOAD_LEN)) {
            *out++ = *environment;
            continue;
        }
        first = false;
        strcpy(stpcpy(text + strlen(text), ":"), *environment + PRELOAD_LEN);
        *preload = reel_probe.environment[1]; /* twice the same is once */
        *out++ = text;
    }
    *out = NULL;
}
