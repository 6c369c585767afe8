#include "tracer/commands/probe_path.h"

#include <glib.h>

/* The first of `places`, from the folder of this program, that is a file; else `installed`. */
static char *find(const char *name, const char *const places[2], const char *installed,
                  struct reel_error *error)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : g_strdup(".");
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *candidate = g_canonicalize_filename(places[i], folder);
        if (g_file_test(candidate, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&candidate);
    }
    if (g_file_test(installed, G_FILE_TEST_IS_REGULAR))
        return g_strdup(installed);
    reel_error_set(error, REEL_ERROR_SYSTEM, 0, "%s was not found near %s or at %s", name, folder,
                   installed);
    reel_error_hint(error, "Reinstall Reel, or run it from its build directory.");
    return NULL;
}

/* In a build directory, installed under any prefix, installed under the configured one. */
char *reel_probe_path(struct reel_error *error)
{
    const char *const places[] = {"../../probes/preload/libreel-probe.so",
                                  "../" REEL_LIBDIR "/reel/libreel-probe.so"};
    return find("libreel-probe.so", places, REEL_PREFIX "/" REEL_LIBDIR "/reel/libreel-probe.so",
                error);
}

char *reel_memory_path(struct reel_error *error)
{
    const char *const places[] = {"../../probes/memory/libreel-memory.so",
                                  "../" REEL_LIBDIR "/reel/libreel-memory.so"};
    return find("libreel-memory.so", places, REEL_PREFIX "/" REEL_LIBDIR "/reel/libreel-memory.so",
                error);
}

char *reel_block_path(struct reel_error *error)
{
    const char *const places[] = {"../../probes/preload/libreel-block.so",
                                  "../" REEL_LIBDIR "/reel/libreel-block.so"};
    return find("libreel-block.so", places, REEL_PREFIX "/" REEL_LIBDIR "/reel/libreel-block.so",
                error);
}

char *reel_stub_path(struct reel_error *error)
{
    const char *const places[] = {"../../probes/memory/libreel-memory.a",
                                  "../" REEL_LIBDIR "/reel/libreel-memory.a"};
    return find("libreel-memory.a", places, REEL_PREFIX "/" REEL_LIBDIR "/reel/libreel-memory.a",
                error);
}

char *reel_viewer_path(struct reel_error *error)
{
    const char *const places[] = {"../../viewer/reel-viewer", "reel-viewer"};
    return find("reel-viewer", places, REEL_PREFIX "/bin/reel-viewer", error);
}
