#include "viewer/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tracer/model/instant.h"

#define FRAMES 80

/* One way of moving about. */
struct scenario {
    const char *name;
    double share; /* of the trace in view */
};

static const struct scenario scenarios[] = {
    {"whole trace, shares", 1.0},
    {"a tenth, shares", 0.1},
    {"a thousandth", 0.001},
    {"a hundred-thousandth, strips", 0.00001},
};

struct bench {
    ReelWindow *window;
    gint64 started_us, mapped_us;
    unsigned scenario, frame;
    double cpu_ms[FRAMES], wall_ms[FRAMES], paint_ms[FRAMES];
    double cpu_before, wall_before;
    double beat_ms, stall_ms; /* of the main loop, while loading */
    guint heart;
};

static double now_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static double at_share(double *values, double share)
{
    qsort(values, FRAMES, sizeof *values, compare);
    return values[(unsigned)(share * (FRAMES - 1))];
}

static double resident_mib(void)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    const char *second = strchr(text, ' ');
    return second ? g_ascii_strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) / 1048576.0 : 0;
}

/* Lanes' data alone. */
static void print_memory(ReelDocument *document)
{
    size_t bytes = 0, intervals = 0;
    for (guint i = 0; i < reel_document_lane_count(document); i++) {
        const struct reel_lane *lane = reel_document_lane(document, i);
        if (lane->kind != REEL_LANE_THREAD)
            continue;
        bytes += reel_lane_data_bytes(&lane->data);
        intervals += lane->data.count;
    }
    printf("%zu intervals, %.1f bytes each; %.0f MiB resident\n", intervals,
           intervals ? (double)bytes / (double)intervals : 0, resident_mib());
}

static void set_range(struct bench *bench)
{
    ReelSession *session = reel_window_session(bench->window);
    ReelDocument *document = reel_session_document(session);
    uint64_t start = reel_document_start_ns(document),
             whole = reel_document_end_ns(document) - start;
    double share = scenarios[bench->scenario].share;
    uint64_t width = (uint64_t)MAX((double)whole * share, 10);
    /* A little further every frame, so that nothing can be kept. */
    uint64_t room = whole > width ? whole - width : 0;
    uint64_t from = start + (uint64_t)((double)room * (0.2 + 0.6 * bench->frame / FRAMES));
    if (share == 1.0) {
        uint64_t cut = whole / 1000 * bench->frame / FRAMES;
        from = start + cut;
        width = whole - cut;
    }
    reel_session_show_range(session, from, from + width);
}

static gboolean on_tick(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    (void)widget;
    (void)clock;
    struct bench *bench = data;
    double cpu = now_of(CLOCK_PROCESS_CPUTIME_ID), wall = now_of(CLOCK_MONOTONIC);
    if (bench->frame > 0 && bench->frame <= FRAMES) {
        bench->cpu_ms[bench->frame - 1] = cpu - bench->cpu_before;
        bench->wall_ms[bench->frame - 1] = wall - bench->wall_before;
        bench->paint_ms[bench->frame - 1] =
            (double)reel_timeline_paint_time(reel_window_timeline(bench->window)) / 1000;
    }
    if (bench->frame == FRAMES) {
        printf("%-32s cpu %5.1f ms a frame (p50), %5.1f (p95); wall %5.1f; lanes %5.1f\n",
               scenarios[bench->scenario].name, at_share(bench->cpu_ms, 0.5),
               at_share(bench->cpu_ms, 0.95), at_share(bench->wall_ms, 0.5),
               at_share(bench->paint_ms, 0.5));
        bench->frame = 0;
        if (++bench->scenario == G_N_ELEMENTS(scenarios)) {
            fflush(stdout);
            gtk_window_destroy(GTK_WINDOW(bench->window));
            g_free(bench);
            return G_SOURCE_REMOVE;
        }
    }
    set_range(bench);
    bench->frame++;
    bench->cpu_before = now_of(CLOCK_PROCESS_CPUTIME_ID);
    bench->wall_before = now_of(CLOCK_MONOTONIC);
    return G_SOURCE_CONTINUE;
}

/* The state at random instants, as the panel asks for it. */
static void measure_instants(ReelDocument *document)
{
    enum { INSTANTS = 101 };
    struct reel_trace *trace = reel_trace_open(reel_document_path(document), REEL_TRACE_READ, NULL);
    struct reel_instants *instants = trace ? reel_instants_new(trace, NULL) : NULL;
    double took[INSTANTS];
    uint64_t start = reel_document_start_ns(document),
             span = reel_document_end_ns(document) - start;
    for (int i = 0; instants && i < INSTANTS; i++) {
        double begin = now_of(CLOCK_THREAD_CPUTIME_ID);
        /* Steps of a prime: all over the trace, never twice in a row near the same place. */
        reel_instants_at(instants,
                         start + (uint64_t)((double)span * (i * 37 % INSTANTS) / INSTANTS), NULL);
        took[i] = now_of(CLOCK_THREAD_CPUTIME_ID) - begin;
    }
    if (instants) {
        qsort(took, INSTANTS, sizeof *took, compare);
        printf("state at the cursor: cpu %.1f ms (p50), %.1f (p95)\n", took[INSTANTS / 2],
               took[INSTANTS * 95 / 100]);
    }
    reel_instants_free(instants);
    reel_trace_close(trace, NULL);
}

/* Beats every five milliseconds, unless something keeps the main loop from it. */
static gboolean beat(gpointer data)
{
    struct bench *bench = data;
    double now = now_of(CLOCK_MONOTONIC);
    if (bench->beat_ms > 0)
        bench->stall_ms = MAX(bench->stall_ms, now - bench->beat_ms - 5);
    bench->beat_ms = now;
    return G_SOURCE_CONTINUE;
}

static void on_document(struct bench *bench)
{
    ReelDocument *document = reel_session_document(reel_window_session(bench->window));
    if (reel_document_is_outline(document)) {
        printf("lanes named, and filling in, after %.0f ms\n",
               (double)(g_get_monotonic_time() - bench->started_us) / 1000);
        return;
    }
    g_clear_handle_id(&bench->heart, g_source_remove);
    printf("first picture after %.0f ms\n",
           (double)(g_get_monotonic_time() - bench->started_us) / 1000);
    printf("longest stall of the main loop while loading: %.0f ms\n", bench->stall_ms);
    print_memory(document);
    measure_instants(document);
    gtk_widget_add_tick_callback(GTK_WIDGET(bench->window), on_tick, bench, NULL);
}

static void on_map(struct bench *bench)
{
    printf("first window after %.0f ms\n",
           (double)(g_get_monotonic_time() - bench->started_us) / 1000);
    bench->heart = g_timeout_add_full(G_PRIORITY_HIGH, 5, beat, bench, NULL);
}

void reel_bench_run(ReelWindow *window, gint64 started_us)
{
    struct bench *bench = g_new0(struct bench, 1);
    bench->window = window;
    bench->started_us = started_us;
    g_signal_connect_swapped(window, "map", G_CALLBACK(on_map), bench);
    g_signal_connect_swapped(reel_window_session(window), "notify::document",
                             G_CALLBACK(on_document), bench);
}
