/* The table of detectors, and how a stream of events goes to all of them. */
#include "tracer/detect/detectors.h"

#include <glib.h>

/* In this order: what hangs is explained by the first that knows why, and a deadlock that happened
 * is not predicted as well. */
const struct reel_detector_class *const reel_detectors[] = {
    &reel_deadlock_observed,
    &reel_lost_wakeup,
    &reel_hang,
    &reel_deadlock_predicted,
    &reel_race,
    &reel_misuse,
    &reel_convoy,
    &reel_contention,
    &reel_loop_blocked,
    &reel_queue,
    &reel_oversubscribed,
    &reel_serial,
    &reel_leak,
    NULL,
};

struct reel_detection {
    struct reel_detect_context context;
    const struct reel_detector_class *const *class; /* NULL-terminated */
    GPtrArray *detector;                            /* in the same order */
};

struct reel_detection *reel_detection_new(const struct reel_detect_context *context)
{
    struct reel_detection *detection = g_new0(struct reel_detection, 1);
    detection->context = *context;
    detection->class = context->detectors ? context->detectors : reel_detectors;
    detection->detector = g_ptr_array_new();
    for (unsigned i = 0; detection->class[i]; i++)
        g_ptr_array_add(detection->detector, detection->class[i] -> new (&detection->context));
    return detection;
}

void reel_detection_free(struct reel_detection *detection)
{
    if (!detection)
        return;
    for (unsigned i = 0; detection->class[i]; i++)
        detection->class[i]->free(detection->detector->pdata[i]);
    g_ptr_array_unref(detection->detector);
    g_free(detection);
}

#define TELL_ALL(hook, ...)                                                                        \
    for (unsigned i = 0; detection->class[i]; i++)                                                 \
        if (detection->class[i] -> hook)                                                           \
    detection->class[i]->hook(detection->detector->pdata[i], ##__VA_ARGS__)

void reel_detection_event(struct reel_detection *detection, const struct reel_event *event,
                          uint32_t object, uint32_t other)
{
    TELL_ALL(event, event, object, other);
}

void reel_detection_interval(struct reel_detection *detection, const struct reel_interval *interval)
{
    TELL_ALL(interval, interval);
}

void reel_detection_hold(struct reel_detection *detection, const struct reel_hold *hold)
{
    TELL_ALL(hold, hold);
}

void reel_detection_look(struct reel_detection *detection, uint64_t now_ns)
{
    TELL_ALL(look, now_ns);
}

void reel_detection_finish(struct reel_detection *detection)
{
    TELL_ALL(finish);
}
