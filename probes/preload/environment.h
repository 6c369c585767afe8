/* The variables that carry a recording across exec: LD_PRELOAD, REEL_REGION (where the region is),
 * REEL_FDS (what the descriptors are that the next image inherits) and REEL_MEMORY (the library to
 * be preloaded too by images that tell their accesses to memory). */
#ifndef REEL_PRELOAD_ENVIRONMENT_H
#define REEL_PRELOAD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#define REEL_ENVIRONMENT_HIDDEN __attribute__((visibility("hidden")))

/* Takes our variables out of `environ`, in place: REEL_REGION goes, LD_PRELOAD becomes what it was
 * before Reel was put in front of it, or goes. Copies of both, ready for exec, land in
 * `environment[0]` and `[1]` ("NAME=value"), REEL_MEMORY in `[2]`. Returns the region's path, or
 * NULL: not recorded. */
const char *reel_environment_take(char environment[3][4352],
                                  char original[4096]) REEL_ENVIRONMENT_HIDDEN;

/* May the next image record, when it is given `environment`? */
bool reel_environment_follows(char *const *environment) REEL_ENVIRONMENT_HIDDEN;

/* What reel_environment_with() needs room for: entries of the list, its final NULL included, and
 * bytes of text. `file`: the image, NULL when it is not known. */
struct reel_environment_size {
    size_t entries;
    size_t preload;     /* the combined LD_PRELOAD, where it is not ours alone; else 0 */
    bool memory;        /* the image tells its accesses */
    size_t descriptors; /* REEL_FDS */
    size_t sanitizer;   /* ASAN_OPTIONS, when the program set it; else 0 */
};
struct reel_environment_size reel_environment_measure(char *const *environment,
                                                      const char *file) REEL_ENVIRONMENT_HIDDEN;

/* Writes `environment` with our variables added into `out`, new text into `text`. */
void reel_environment_with(char *const *environment, const struct reel_environment_size *size,
                           char **out, char *text) REEL_ENVIRONMENT_HIDDEN;

#endif
