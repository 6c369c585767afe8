#include "tracer/commands/output.h"

#include <errno.h>
#include <glib.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (columns && atoi(columns) > 20)
        return atoi(columns);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 100;
}

static void start_pager(struct reel_output *output)
{
    const char *pager = getenv("REEL_PAGER");
    if (!pager)
        pager = getenv("PAGER");
    if (!pager)
        pager = "less";
    if (!*pager || strcmp(pager, "cat") == 0)
        return;
    int ends[2];
    if (pipe(ends) != 0)
        return;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        setenv("LESS", "FRX", 0);
        execl("/bin/sh", "sh", "-c", pager, (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return;
    }
    FILE *file = fdopen(ends[1], "w");
    if (!file) {
        close(ends[1]);
        return;
    }
    output->file = file;
    output->pager_pid = pid;
}

void reel_output_open(struct reel_output *output, bool paged)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    memset(output, 0, sizeof *output);
    output->file = stdout;
    output->terminal = isatty(STDOUT_FILENO);
    output->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    output->width = terminal_width();
    output->color =
        output->terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
    /* A reader that leaves early (head, a pager) is no failure. */
    signal(SIGPIPE, SIG_IGN);
    if (paged && output->terminal)
        start_pager(output);
}

bool reel_output_close(struct reel_output *output)
{
    errno = 0;
    bool good = fflush(output->file) == 0 && !ferror(output->file);
    int cause = errno;
    if (output->pager_pid) {
        fclose(output->file);
        while (waitpid(output->pager_pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (!good && cause != EPIPE && cause != 0) {
        fprintf(stderr, "reel: cannot write the output: %s\n", strerror(cause));
        return false;
    }
    return true;
}

const char *reel_output_style(const struct reel_output *output, enum reel_style style)
{
    static const char *const sequences[] = {"\033[0m",  "\033[1m",  "\033[2m",
                                            "\033[32m", "\033[33m", "\033[31;1m"};
    return output->color ? sequences[style] : "";
}

void reel_output_paragraph(const struct reel_output *output, const char *text, int indent)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *plain = output->utf8 ? NULL
                                          : g_convert_with_fallback(valid, -1, "ASCII//TRANSLIT",
                                                                    "UTF-8", "?", NULL, NULL, NULL);
    g_auto(GStrv) words = g_strsplit(plain ? plain : valid, " ", -1);
    int limit = output->width < 100 ? output->width : 100, column = 0;
    for (char **word = words; *word; word++) {
        int width = reel_text_columns(*word);
        if (!column || column + 1 + width > limit) {
            fprintf(output->file, "%s%*s", column ? "\n" : "", indent, "");
            column = indent;
        } else {
            fputc(' ', output->file);
            column++;
        }
        for (char *at = *word; *at; at++)
            if ((unsigned char)*at < 32)
                *at = '?';
        fputs(*word, output->file);
        column += width;
    }
    fputc('\n', output->file);
}

int reel_text_columns(const char *text)
{
    int columns = 0;
    if (!g_utf8_validate(text, -1, NULL))
        return (int)strlen(text);
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        if (!g_unichar_iszerowidth(character))
            columns += g_unichar_iswide(character) ? 2 : 1;
    }
    return columns;
}
