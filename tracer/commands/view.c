/* reel view: open traces in the viewer, which is a program of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tracer/commands/command.h"
#include "tracer/commands/probe_path.h"

static int run(const struct reel_command *command, int argc, char **argv)
{
    int status = reel_command_parse(command, NULL, &argc, &argv, false);
    if (status >= 0)
        return status;
    struct reel_error error = {0};
    g_autofree char *viewer = reel_viewer_path(&error);
    if (!viewer)
        return reel_command_fail(command, &error);
    if (!getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY")) {
        reel_error_set(&error, REEL_ERROR_SYSTEM, 0, "there is no display here");
        reel_error_hint(&error, "Without one: reel report, reel timeline, reel show.");
        return reel_command_fail(command, &error);
    }
    argv[0] = viewer;
    execv(viewer, argv);
    reel_error_set(&error, REEL_ERROR_SYSTEM, errno, "cannot run %s: %s", viewer, strerror(errno));
    return reel_command_fail(command, &error);
}

const struct reel_command reel_command_view = {
    .name = "view",
    .arguments = "[TRACE[#FINDING|@TIME]…]",
    .summary = "open traces in the viewer",
    .run = run,
};
