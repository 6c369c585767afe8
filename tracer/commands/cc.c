/* reel cc: a compiler, so that the program tells its accesses to memory.
 *
 * Compilation gets -fsanitize=thread, linking does not: in place of the sanitizer's runtime comes
 * libreel-memory.a. A command that does both is done in two. Everything else of the command is the
 * compiler's. */
#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/commands/command.h"
#include "tracer/commands/probe_path.h"

#define INSTRUMENT "-fsanitize=thread"

/* gcc makes moves and comparisons of calls of these, and instruments none of them; with checks of
 * sizes (_FORTIFY_SOURCE) it does so whatever is said here. clang knows better. */
static const char *const kept_calls[] = {
    "-fno-builtin-memcpy",  "-fno-builtin-memmove", "-fno-builtin-memset",   "-fno-builtin-memcmp",
    "-fno-builtin-memchr",  "-fno-builtin-bcmp",    "-fno-builtin-strlen",   "-fno-builtin-strnlen",
    "-fno-builtin-strcpy",  "-fno-builtin-stpcpy",  "-fno-builtin-strncpy",  "-fno-builtin-strcat",
    "-fno-builtin-strncat", "-fno-builtin-strcmp",  "-fno-builtin-strncmp",  "-fno-builtin-strchr",
    "-fno-builtin-strrchr", "-fno-builtin-strstr",  "-fno-builtin-strspn",   "-fno-builtin-strcspn",
    "-fno-builtin-mempcpy", "-fno-builtin-sprintf", "-fno-builtin-snprintf", "-U_FORTIFY_SOURCE"};

/* clang leaves out a read that a write to the same place follows (++count). What threads see of one
 * another's writes would be missing: it says both in one call instead (since clang 12). */
static const char *const kept_reads[] = {"-mllvm", "-tsan-compound-read-before-write=1"};

/* One command of the compiler, understood as far as needed. */
struct job {
    GPtrArray *words; /* all, response files opened; [0] the compiler; borrowed from `kept` */
    GPtrArray *kept;
    GArray *sources;    /* guint: indexes of words that are compiled */
    const char *output; /* -o */
    bool compiles_only; /* -c, -S, -E, -M … */
    bool relocatable;   /* -r */
    bool asks;          /* --version, -print-… : nothing is made */
    bool has_input;
};

/* Words of their own that take the next one with them. */
static bool takes_next(const char *word)
{
    static const char *const words[] = {"-o",
                                        "-x",
                                        "-I",
                                        "-L",
                                        "-D",
                                        "-U",
                                        "-include",
                                        "-imacros",
                                        "-isystem",
                                        "-iquote",
                                        "-idirafter",
                                        "-iprefix",
                                        "-iwithprefix",
                                        "-iwithprefixbefore",
                                        "-isysroot",
                                        "--sysroot",
                                        "-MF",
                                        "-MT",
                                        "-MQ",
                                        "-MJ",
                                        "-Xlinker",
                                        "-Xassembler",
                                        "-Xpreprocessor",
                                        "-Xclang",
                                        "-T",
                                        "-u",
                                        "-z",
                                        "-e",
                                        "-l",
                                        "-aux-info",
                                        "--param",
                                        "-arch",
                                        "-target",
                                        "-mllvm",
                                        "-wrapper",
                                        "-specs",
                                        "-A",
                                        "-B",
                                        "-dumpbase",
                                        "-Xarch_host",
                                        "-rpath"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static bool is_source(const char *word, const char *language)
{
    static const char *const endings[] = {
        ".c", ".i",  ".cc", ".cp", ".cxx", ".cpp", ".CPP", ".c++", ".C",   ".ii",  ".s",
        ".S", ".sx", ".m",  ".mm", ".h",   ".hh",  ".hpp", ".H",   ".hxx", ".h++", ".tcc"};
    if (language && strcmp(language, "none") != 0)
        return true;
    const char *slash = strrchr(word, '/');
    const char *dot = strrchr(slash ? slash : word, '.');
    for (size_t i = 0; dot && i < G_N_ELEMENTS(endings); i++)
        if (strcmp(dot, endings[i]) == 0)
            return true;
    return false;
}

static bool is_header(const char *word)
{
    return g_str_has_suffix(word, ".h") || g_str_has_suffix(word, ".hh") ||
           g_str_has_suffix(word, ".hpp") || g_str_has_suffix(word, ".hxx");
}

static bool ends_before_link(const char *word)
{
    static const char *const words[] = {
        "-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--precompile", "-emit-llvm", "--analyze"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static bool only_asks(const char *word)
{
    return g_str_has_prefix(word, "-print-") || g_str_has_prefix(word, "--print-") ||
           g_str_has_prefix(word, "--help") || strcmp(word, "--version") == 0 ||
           strcmp(word, "-dumpversion") == 0 || strcmp(word, "-dumpmachine") == 0 ||
           strcmp(word, "-dumpfullversion") == 0 || strcmp(word, "-###") == 0;
}

/* Adds a word, or what is in the file behind its '@'. */
static bool add_word(struct job *job, const char *word, int depth, struct reel_error *error)
{
    g_autofree char *text = NULL;
    if (word[0] != '@' || depth > 8 || !g_file_get_contents(word + 1, &text, NULL, NULL)) {
        g_ptr_array_add(job->kept, g_strdup(word));
        return true;
    }
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) problem = NULL;
    if (!*g_strstrip(text))
        return true;
    if (!g_shell_parse_argv(text, NULL, &words, &problem))
        return reel_error_set(error, REEL_ERROR_USAGE, 0, "%s: %s", word + 1, problem->message);
    for (char **each = words; *each; each++)
        if (!add_word(job, *each, depth + 1, error))
            return false;
    return true;
}

static bool understand(struct job *job, char **argv, struct reel_error *error)
{
    job->kept = g_ptr_array_new_with_free_func(g_free);
    job->words = g_ptr_array_new();
    job->sources = g_array_new(FALSE, FALSE, sizeof(guint));
    for (; *argv; argv++)
        if (!add_word(job, *argv, 0, error))
            return false;
    const char *language = NULL;
    for (guint i = 0; i < job->kept->len; i++) {
        char *word = job->kept->pdata[i];
        /* Instrumentation is ours to add, and only where it belongs. */
        if (strcmp(word, INSTRUMENT) == 0)
            continue;
        guint at = job->words->len;
        g_ptr_array_add(job->words, word);
        job->compiles_only |= ends_before_link(word);
        job->relocatable |= strcmp(word, "-r") == 0 || strcmp(word, "-Wl,-r") == 0;
        job->asks |= only_asks(word);
        if (strncmp(word, "-x", 2) == 0 && word[2])
            language = word + 2;
        if (takes_next(word) && i + 1 < job->kept->len) {
            char *next = job->kept->pdata[++i];
            g_ptr_array_add(job->words, next);
            if (strcmp(word, "-o") == 0)
                job->output = next;
            else if (strcmp(word, "-x") == 0)
                language = next;
            continue;
        }
        if (at == 0 || (word[0] == '-' && word[1]))
            continue;
        job->has_input = true;
        if (is_source(word, language)) {
            job->compiles_only |= is_header(word) && !language;
            g_array_append_val(job->sources, at);
        }
    }
    return true;
}

static void add_instrumentation(GPtrArray *words)
{
    g_autofree char *compiler = g_path_get_basename(words->pdata[0]);
    bool clang = strstr(compiler, "clang");
    for (size_t i = 0; i < G_N_ELEMENTS(kept_reads) && clang; i++)
        g_ptr_array_add(words, (char *)kept_reads[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(kept_calls) && !clang; i++)
        g_ptr_array_add(words, (char *)kept_calls[i]);
    g_ptr_array_add(words, (char *)INSTRUMENT);
}

static void forget(struct job *job)
{
    g_ptr_array_unref(job->words);
    g_ptr_array_unref(job->kept);
    g_array_unref(job->sources);
}

static int cannot_run(const struct reel_command *command, const char *program)
{
    int cause = errno;
    struct reel_error error = {0};
    reel_error_set(&error, REEL_ERROR_SYSTEM, cause, "cannot run '%s': %s", program,
                   strerror(cause));
    reel_error_hint(&error, "Name a compiler: reel cc gcc …");
    reel_command_fail(command, &error);
    return cause == ENOENT ? REEL_STATUS_NOT_FOUND : REEL_STATUS_NOT_EXECUTABLE;
}

/* Becomes the compiler. */
static int become(const struct reel_command *command, GPtrArray *words)
{
    g_ptr_array_add(words, NULL);
    execvp(words->pdata[0], (char **)words->pdata);
    return cannot_run(command, words->pdata[0]);
}

static int run(const struct reel_command *command, GPtrArray *words)
{
    g_ptr_array_add(words, NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(words->pdata[0], (char **)words->pdata);
        _exit(cannot_run(command, words->pdata[0]));
    }
    int status;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid < 0)
        return cannot_run(command, words->pdata[0]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_source_at(const struct job *job, guint at)
{
    for (guint i = 0; i < job->sources->len; i++)
        if (g_array_index(job->sources, guint, i) == at)
            return true;
    return false;
}

/* Compiles the source at `at` alone, into `object`. What is meant for the linker stays away. */
static int compile(const struct reel_command *command, const struct job *job, guint at,
                   const char *object)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (guint i = 0; i < job->words->len; i++) {
        char *word = job->words->pdata[i];
        if (strcmp(word, "-o") == 0 || strcmp(word, "-Xlinker") == 0 || strcmp(word, "-l") == 0 ||
            strcmp(word, "-L") == 0 || strcmp(word, "-T") == 0 || strcmp(word, "-u") == 0 ||
            strcmp(word, "-z") == 0 || strcmp(word, "-rpath") == 0) {
            i++;
            continue;
        }
        bool links = g_str_has_prefix(word, "-l") || g_str_has_prefix(word, "-Wl,") ||
                     strcmp(word, "-s") == 0 || strcmp(word, "-static") == 0 ||
                     strcmp(word, "-shared") == 0 || strcmp(word, "-pie") == 0 ||
                     strcmp(word, "-rdynamic") == 0 || g_str_has_prefix(word, "-static-") ||
                     g_str_has_prefix(word, "-fuse-ld=");
        bool input = i > 0 && (word[0] != '-' || !word[1]);
        if (i > 0 && takes_next(word)) {
            g_ptr_array_add(words, word);
            if (i + 1 < job->words->len)
                g_ptr_array_add(words, job->words->pdata[++i]);
        } else if (!links && (!input || i == at)) {
            g_ptr_array_add(words, word);
        }
    }
    add_instrumentation(words);
    g_ptr_array_add(words, (char *)"-c");
    g_ptr_array_add(words, (char *)"-o");
    g_ptr_array_add(words, (char *)object);
    return run(command, words);
}

/* The sources' objects stand in their place; -x is for sources. */
static int link_objects(const struct reel_command *command, const struct job *job,
                        GPtrArray *objects, const char *stub)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    guint next = 0;
    for (guint i = 0; i < job->words->len; i++) {
        char *word = job->words->pdata[i];
        if (objects->len && strcmp(word, "-x") == 0)
            i++;
        else if (objects->len && strncmp(word, "-x", 2) == 0)
            continue;
        else if (is_source_at(job, i))
            g_ptr_array_add(words, objects->pdata[next++]);
        else
            g_ptr_array_add(words, word);
    }
    g_ptr_array_add(words, (char *)stub);
    return run(command, words);
}

static int compile_and_link(const struct reel_command *command, const struct job *job,
                            const char *stub)
{
    g_autoptr(GPtrArray) objects = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    g_autofree char *folder = g_dir_make_tmp("reel-cc-XXXXXX", &problem);
    if (!folder) {
        struct reel_error error = {0};
        reel_error_set(&error, REEL_ERROR_SYSTEM, 0, "cannot make a temporary folder: %s",
                       problem->message);
        return reel_command_fail(command, &error);
    }
    int status = 0;
    for (guint i = 0; i < job->sources->len && status == 0; i++) {
        guint at = g_array_index(job->sources, guint, i);
        g_autofree char *base = g_path_get_basename(job->words->pdata[at]);
        g_ptr_array_add(objects, g_strdup_printf("%s/%u-%s.o", folder, i, base));
        status = compile(command, job, at, objects->pdata[i]);
    }
    if (status == 0)
        status = link_objects(command, job, objects, stub);
    for (guint i = 0; i < objects->len; i++)
        g_unlink(objects->pdata[i]);
    g_rmdir(folder);
    return status;
}

static int run_cc(const struct reel_command *command, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "--stub") == 0) {
        struct reel_error error = {0};
        g_autofree char *stub = reel_stub_path(&error);
        if (!stub)
            return reel_command_fail(command, &error);
        puts(stub);
        return REEL_STATUS_OK;
    }
    int status = reel_command_parse(command, NULL, &argc, &argv, true);
    if (status >= 0)
        return status;
    if (argc < 2)
        return reel_command_usage(command, "name a compiler and its arguments");
    struct reel_error error = {0};
    struct job job = {0};
    if (!understand(&job, argv + 1, &error)) {
        status = reel_command_fail(command, &error);
        forget(&job);
        return status;
    }
    if (job.asks || !job.has_input) {
        status = become(command, job.words);
    } else if (job.compiles_only) {
        add_instrumentation(job.words);
        status = become(command, job.words);
    } else {
        g_autofree char *stub = job.relocatable ? g_strdup("-r") : reel_stub_path(&error);
        if (!stub)
            status = reel_command_fail(command, &error);
        else
            status = compile_and_link(command, &job, stub);
    }
    forget(&job);
    return status;
}

const struct reel_command reel_command_cc = {
    .name = "cc",
    .arguments = "COMPILER ARGUMENT…",
    .summary = "Compile a program so that its data races are found",
    .description =
        "Runs a compiler (gcc, g++, clang, clang++) so that the program tells its accesses to\n"
        "memory when it runs under 'reel record' or 'reel check'. Alone it runs as it would\n"
        "otherwise, somewhat slower.\n\n"
        "  reel cc gcc -g race.c -o race && reel check -- ./race\n"
        "  make CC='reel cc gcc' CXX='reel cc g++'\n"
        "  ./configure CC='reel cc gcc'\n"
        "  CC='reel cc gcc' meson setup build-races\n"
        "  cmake -DCMAKE_C_COMPILER_LAUNCHER='reel;cc' -DCMAKE_C_LINKER_LAUNCHER='reel;cc' …\n\n"
        "By hand: compile with -fsanitize=thread (gcc: and with -fno-builtin-memcpy, -strcmp\n"
        "and so on, or what it makes of them is not seen; clang: and with -mllvm\n"
        "-tsan-compound-read-before-write=1), link without it and with what\n"
        "'reel cc --stub' prints.",
    .run = run_cc,
};
