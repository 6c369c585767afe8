#include "viewer/panel/locks_page.h"

#include "viewer/panel/statistics.h"

struct _ReelLocksPage {
    ReelStatisticsPage parent_instance;
};

G_DEFINE_FINAL_TYPE(ReelLocksPage, reel_locks_page, REEL_TYPE_STATISTICS_PAGE)

static const struct reel_row_column columns[REEL_LOCK_COLUMNS] = {
    [REEL_LOCK_NAME] = {"Lock", REEL_ROW_TEXT, -140, "Enter selects its lane"},
    [REEL_LOCK_CLASS] = {"Kind", REEL_ROW_TEXT, 80, "What kind of lock"},
    [REEL_LOCK_TAKEN] = {"Taken", REEL_ROW_COUNT, 70, "How often it was taken"},
    [REEL_LOCK_WAITED] = {"Waited", REEL_ROW_SHARE, 70, "Of these, how many had to wait"},
    [REEL_LOCK_WAIT] = {"Wait", REEL_ROW_DURATION, 80, "Waited for it, all threads together"},
    [REEL_LOCK_WAIT_MOST] = {"Longest wait", REEL_ROW_DURATION, 100, "The longest of the waits"},
    [REEL_LOCK_HOLD] = {"Held", REEL_ROW_DURATION, 80, "Held, all threads together"},
    [REEL_LOCK_HOLD_MEAN] = {"Mean", REEL_ROW_DURATION, 80, "Held each time, on average"},
    [REEL_LOCK_HOLD_MOST] = {"Longest hold", REEL_ROW_DURATION, 100, "The longest hold"},
    [REEL_LOCK_USED] = {"Utilisation", REEL_ROW_SHARE, 85,
                        "Held, of the time looked at; readers that hold it together count each"},
    [REEL_LOCK_HANDOFFS] = {"Hand-offs", REEL_ROW_COUNT, 80,
                            "Taken by another thread than the time before"},
    [REEL_LOCK_WAITERS] = {"Most waiters", REEL_ROW_COUNT, 95, "Threads that waited at once"},
    [REEL_LOCK_THREADS] = {"Threads", REEL_ROW_COUNT, 70, "That took it"},
};

static void reel_locks_page_class_init(ReelLocksPageClass *class)
{
    ReelStatisticsPageClass *statistics = REEL_STATISTICS_PAGE_CLASS(class);
    statistics->name = "Locks";
    statistics->columns = columns;
    statistics->count = REEL_LOCK_COLUMNS;
    statistics->sort_column = REEL_LOCK_WAIT;
    statistics->read = reel_lock_statistics_read;
    statistics->nothing = "No lock was taken here.";
}

static void reel_locks_page_init(ReelLocksPage *self)
{
    (void)self;
}
