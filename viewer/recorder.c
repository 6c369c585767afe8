#include "viewer/recorder.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct _ReelRecorder {
    GObject parent_instance;
    GSubprocess *process;
    char *trace;
    gboolean running;
};

static guint ended_signal;

G_DEFINE_FINAL_TYPE(ReelRecorder, reel_recorder, G_TYPE_OBJECT)

static char *own_folder(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    return self ? g_path_get_dirname(self) : g_strdup(".");
}

char *reel_recorder_find(void)
{
    static const char *const places[] = {"reel", "../tracer/commands/reel"};
    g_autofree char *folder = own_folder();
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(folder, places[i], NULL);
        if (g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
            return g_steal_pointer(&path);
    }
    return g_find_program_in_path("reel");
}

char *reel_recorder_samples(void)
{
    static const char *const places[] = {"../samples", "../libexec/reel/samples",
                                         "../lib/reel/samples"};
    g_autofree char *folder = own_folder();
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *path = g_build_filename(folder, places[i], NULL);
        g_autofree char *one = g_build_filename(path, "deadlock-opposite", NULL);
        if (g_file_test(one, G_FILE_TEST_IS_EXECUTABLE))
            return g_canonicalize_filename(path, NULL);
    }
    return NULL;
}

static void ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(ReelRecorder) self = data;
    g_autofree char *said = NULL;
    g_autoptr(GError) error = NULL;
    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &said, NULL, &error);
    self->running = FALSE;
    g_signal_emit(self, ended_signal, 0, said ? said : error ? error->message : "");
}

/* A new name in a place that is kept: recordings of the window are the user's. */
static char *new_trace(const char *program)
{
    g_autofree char *folder = g_build_filename(g_get_user_data_dir(), "reel", "recordings", NULL);
    g_autofree char *base = g_path_get_basename(program);
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *when = g_date_time_format(now, "%Y%m%d-%H%M%S");
    g_autofree char *name = g_strdup_printf("%s-%s.reel", base, when);
    g_mkdir_with_parents(folder, 0700);
    return g_build_filename(folder, name, NULL);
}

ReelRecorder *reel_recorder_new(const char *command, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autofree char *reel = reel_recorder_find();
    if (!g_shell_parse_argv(command, NULL, &words, error))
        return NULL;
    if (!reel) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                    "the command reel was found neither beside the viewer nor on the path");
        return NULL;
    }
    g_autoptr(ReelRecorder) self = g_object_new(REEL_TYPE_RECORDER, NULL);
    self->trace = new_trace(words[0]);
    g_autoptr(GPtrArray) arguments = g_ptr_array_new();
    const char *const fixed[] = {reel, "record", "-o", self->trace, "--"};
    for (unsigned i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(arguments, (gpointer)fixed[i]);
    for (char **word = words; *word; word++)
        g_ptr_array_add(arguments, *word);
    g_ptr_array_add(arguments, NULL);
    self->process =
        g_subprocess_newv((const char *const *)arguments->pdata,
                          G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, error);
    if (!self->process)
        return NULL;
    self->running = TRUE;
    g_subprocess_communicate_utf8_async(self->process, NULL, NULL, ended, g_object_ref(self));
    return g_steal_pointer(&self);
}

const char *reel_recorder_trace(ReelRecorder *self)
{
    return self->trace;
}

gboolean reel_recorder_is_running(ReelRecorder *self)
{
    return self->running;
}

void reel_recorder_stop(ReelRecorder *self)
{
    if (self->running)
        g_subprocess_send_signal(self->process, SIGINT);
}

static void reel_recorder_finalize(GObject *object)
{
    ReelRecorder *self = REEL_RECORDER(object);
    g_clear_object(&self->process);
    g_free(self->trace);
    G_OBJECT_CLASS(reel_recorder_parent_class)->finalize(object);
}

static void reel_recorder_class_init(ReelRecorderClass *class)
{
    G_OBJECT_CLASS(class)->finalize = reel_recorder_finalize;
    ended_signal = g_signal_new("ended", REEL_TYPE_RECORDER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void reel_recorder_init(ReelRecorder *self)
{
    (void)self;
}
