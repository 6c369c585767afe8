#include "viewer/panel/threads_page.h"

#include "viewer/panel/statistics.h"

struct _ReelThreadsPage {
    ReelStatisticsPage parent_instance;
};

G_DEFINE_FINAL_TYPE(ReelThreadsPage, reel_threads_page, REEL_TYPE_STATISTICS_PAGE)

static const struct reel_row_column columns[REEL_THREAD_COLUMNS] = {
    [REEL_THREAD_NAME] = {"Thread", REEL_ROW_TEXT, -130, "Enter selects its lane"},
    [REEL_THREAD_PROCESS] = {"Process", REEL_ROW_COUNT, 70, "Process id"},
    [REEL_THREAD_STATES] = {"What it did", REEL_ROW_STATES, 180,
                            "Shares of its life in the colours of the timeline"},
    [REEL_THREAD_RUNNING] = {"Running", REEL_ROW_SHARE, 75,
                             "Of its life: running, as far as is "
                             "known"},
    [REEL_THREAD_LOCK] = {"Lock", REEL_ROW_SHARE, 65, "Of its life: waiting for a held lock"},
    [REEL_THREAD_ORDER] = {"Others", REEL_ROW_SHARE, 65, "Of its life: waiting for another's work"},
    [REEL_THREAD_IO] = {"I/O", REEL_ROW_SHARE, 65, "Of its life: in calls on descriptors"},
    [REEL_THREAD_IDLE] = {"Idle", REEL_ROW_SHARE, 65, "Of its life: sleeping, nothing to do"},
    [REEL_THREAD_WAITS] = {"Waits", REEL_ROW_COUNT, 65, "How many waits"},
    [REEL_THREAD_LONGEST] = {"Longest wait", REEL_ROW_DURATION, 100, "The longest of them"},
    [REEL_THREAD_FOR] = {"Waits most for", REEL_ROW_TEXT, -130, "Where most of its waiting went"},
    [REEL_THREAD_CPU] = {"CPU", REEL_ROW_DURATION, 80,
                         "Processor time, where the recorder could read it; of the whole life"},
    [REEL_THREAD_LIFE] = {"Life", REEL_ROW_DURATION, 80, "How long it lived"},
};

static void reel_threads_page_class_init(ReelThreadsPageClass *class)
{
    ReelStatisticsPageClass *statistics = REEL_STATISTICS_PAGE_CLASS(class);
    statistics->name = "Threads";
    statistics->columns = columns;
    statistics->count = REEL_THREAD_COLUMNS;
    statistics->sort_column = REEL_THREAD_LIFE;
    statistics->read = reel_thread_statistics_read;
    statistics->nothing = "No thread lived here.";
}

static void reel_threads_page_init(ReelThreadsPage *self)
{
    (void)self;
}
