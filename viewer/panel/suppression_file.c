#include "viewer/panel/suppression_file.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>

char *reel_suppress_line(const char *line, const char *reason)
{
    const char *behind = strstr(line, " -- ");
    g_autofree char *own = reason ? g_strdelimit(g_strdup(reason), "\n\r", ' ') : NULL;
    if (!behind || !own || !*g_strstrip(own))
        return g_strdup(line);
    return g_strdup_printf("%.*s -- %s\n", (int)(behind - line), line, own);
}

bool reel_suppress_append(const char *path, const char *line, struct reel_error *error)
{
    FILE *file = fopen(path, "a+");
    bool good = file != NULL;
    if (good && fseek(file, -1, SEEK_END) == 0) {
        int last = fgetc(file);
        good = fseek(file, 0, SEEK_END) == 0 && (last == '\n' || fputc('\n', file) != EOF);
    }
    good = good && fputs(line, file) != EOF;
    if (file && fclose(file) != 0)
        good = false;
    return good ||
           reel_error_set(error, REEL_ERROR_SYSTEM, errno,
                          "the suppression was not written: %s: %s", path, g_strerror(errno));
}
