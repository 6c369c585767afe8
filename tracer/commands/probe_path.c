#include "tracer/commands/probe_path.h"

#include <glib.h>

char *reel_probe_path(struct reel_error *error)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = self ? g_path_get_dirname(self) : g_strdup(".");
    /* In a build directory, then installed under any prefix, then under the configured one. */
    const char *const places[] = {"../../probes/preload/libreel-probe.so",
                                  "../" REEL_LIBDIR "/reel/libreel-probe.so"};
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *candidate = g_canonicalize_filename(places[i], folder);
        if (g_file_test(candidate, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&candidate);
    }
    const char *installed = REEL_PREFIX "/" REEL_LIBDIR "/reel/libreel-probe.so";
    if (g_file_test(installed, G_FILE_TEST_IS_REGULAR))
        return g_strdup(installed);
    reel_error_set(error, REEL_ERROR_SYSTEM, 0, "libreel-probe.so was not found near %s or at %s",
                   folder, installed);
    reel_error_hint(error, "Reinstall Reel, or run it from its build directory.");
    return NULL;
}
