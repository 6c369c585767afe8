#include "probes/preload/environment.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "probes/preload/descriptor.h"
#include "probes/preload/exec.h"
#include "probes/preload/probe.h"
#include "probes/preload/raw.h"

#define LIBRARY         "libreel-probe.so"
#define PRELOAD         "LD_PRELOAD="
#define REGION          "REEL_REGION="
#define DESCRIPTORS     "REEL_FDS="
#define DESCRIPTORS_LEN (sizeof DESCRIPTORS - 1)
#define PRELOAD_LEN     (sizeof PRELOAD - 1)
#define REGION_LEN      (sizeof REGION - 1)
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

/* Splits `list`: our library, which always comes first, goes to `ours`, what follows its separator,
 * as it is, to `others`. */
static void split_preload(const char *list, char *ours, char *others)
{
    const size_t library = sizeof LIBRARY - 1;
    size_t length = strcspn(list, ": ");
    ours[0] = others[0] = '\0';
    if (length < library || memcmp(list + length - library, LIBRARY, library) != 0)
        return;
    memcpy(ours, list, length);
    ours[length] = '\0';
    if (list[length])
        strcpy(others, list + length + 1);
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
        if (has_prefix(*entry, DESCRIPTORS, DESCRIPTORS_LEN)) {
            descriptors = *entry + DESCRIPTORS_LEN;
            continue;
        }
        if (has_prefix(*entry, PRELOAD, PRELOAD_LEN) && strlen(*entry) < 4096) {
            split_preload(*entry + PRELOAD_LEN, ours, original);
            if (ours[0]) {
                memcpy(environment[0], PRELOAD, PRELOAD_LEN);
                memcpy(environment[0] + PRELOAD_LEN, ours, strlen(ours) + 1);
                /* Nothing but ours: as it was, unset; or, with a separator left, set to nothing. */
                if (!original[0] && !(*entry)[PRELOAD_LEN + strlen(ours)])
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

#define FIXED_ENTRIES 5 /* LD_PRELOAD, REEL_REGION, REEL_FDS, ASAN_OPTIONS, NULL */

struct reel_environment_size reel_environment_measure(char *const *environment)
{
    struct reel_environment_size size = {.entries = FIXED_ENTRIES};
    while (environment && environment[size.entries - FIXED_ENTRIES])
        size.entries++;
    const char *theirs = find(environment, PRELOAD, PRELOAD_LEN);
    size.preload = theirs ? strlen(reel_probe.environment[0]) + strlen(theirs) + 2 : 0;
    const char *options = find(environment, SANITIZER, SANITIZER_LEN);
    size.sanitizer = options ? strlen(options) + 1 + SANITIZER_ADD_LEN + 1 : 0;
    size.descriptors = reel_descriptors_size();
    return size;
}

void reel_environment_with(char *const *environment, const struct reel_environment_size *size,
                           char **out, char *text)
{
    char *ours = reel_probe.environment[0]; /* "LD_PRELOAD=/path/libreel-probe.so" */
    const size_t length = strlen(ours);
    char *descriptors = text + size->preload;
    reel_descriptors_write(descriptors, size->descriptors);
    *out++ = reel_probe.environment[1];
    *out++ = descriptors;
    if (!size->preload)
        *out++ = ours;
    /* Theirs keeps its place: the next image sees it there. */
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
        const char *theirs = *environment + PRELOAD_LEN;
        memcpy(text, ours, length);
        text[length] = ':';
        strcpy(text + length + 1, theirs);
        *out++ = text;
    }
    *out = NULL;
}
