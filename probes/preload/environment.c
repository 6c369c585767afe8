#include "probes/preload/environment.h"

#include <string.h>
#include <unistd.h>

#include "probes/preload/descriptor.h"
#include "probes/preload/exec.h"
#include "probes/preload/probe.h"

#define LIBRARY         "libreel-probe.so"
#define PRELOAD         "LD_PRELOAD="
#define REGION          "REEL_REGION="
#define DESCRIPTORS     "REEL_FDS="
#define DESCRIPTORS_LEN (sizeof DESCRIPTORS - 1)
#define PRELOAD_LEN     (sizeof PRELOAD - 1)
#define REGION_LEN      (sizeof REGION - 1)
#define ENTRY_LIMIT     4352

static bool has_prefix(const char *text, const char *prefix, size_t length)
{
    return strncmp(text, prefix, length) == 0;
}

/* Copies `list` (separated by ':' or ' ') without the entry that is our library. The entry itself
 * goes to `ours`. */
static void split_preload(const char *list, char *ours, char *others)
{
    size_t used = 0;
    ours[0] = others[0] = '\0';
    while (*list) {
        size_t length = strcspn(list, ": ");
        size_t library = sizeof LIBRARY - 1;
        if (length >= library && memcmp(list + length - library, LIBRARY, library) == 0 &&
            !ours[0]) {
            memcpy(ours, list, length);
            ours[length] = '\0';
        } else if (length) {
            if (used)
                others[used++] = ':';
            memcpy(others + used, list, length);
            used += length;
            others[used] = '\0';
        }
        list += length;
        list += *list != '\0';
    }
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
                if (!original[0])
                    continue;
                memcpy(restored, PRELOAD, PRELOAD_LEN);
                memcpy(restored + PRELOAD_LEN, original, strlen(original) + 1);
                *kept++ = restored;
                continue;
            }
        }
        *kept++ = *entry;
    }
    *kept = NULL;
    reel_descriptors_inherit(descriptors);
    return environment[0][0] ? environment[1] + REGION_LEN : NULL;
}

size_t reel_environment_room(char *const *environment)
{
    size_t count = 0;
    while (environment && environment[count])
        count++;
    return count + 4; /* LD_PRELOAD, REEL_REGION, REEL_FDS, NULL */
}

void reel_environment_with(char *const *environment, char **out, char *preload)
{
    const char *ours = reel_probe.environment[0]; /* "LD_PRELOAD=/path/libreel-probe.so" */
    size_t length = strlen(ours);
    memcpy(preload, ours, length + 1);
    *out++ = preload;
    *out++ = reel_probe.environment[1];
    char *descriptors = preload + ENTRY_LIMIT;
    reel_descriptors_write(descriptors, REEL_EXEC_TEXT - ENTRY_LIMIT);
    *out++ = descriptors;
    for (; environment && *environment; environment++) {
        if (has_prefix(*environment, REGION, REGION_LEN) ||
            has_prefix(*environment, DESCRIPTORS, DESCRIPTORS_LEN))
            continue;
        if (has_prefix(*environment, PRELOAD, PRELOAD_LEN)) {
            const char *theirs = *environment + PRELOAD_LEN;
            size_t more = strlen(theirs);
            if (strstr(theirs, LIBRARY) || length + 1 + more + 1 > ENTRY_LIMIT || more == 0)
                continue;
            preload[length] = ':';
            memcpy(preload + length + 1, theirs, more + 1);
            continue;
        }
        *out++ = *environment;
    }
    *out = NULL;
}
