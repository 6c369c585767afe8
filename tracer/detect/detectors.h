/* The detectors by name: for the table in detector.c and the file that defines each. */
#ifndef REEL_DETECT_DETECTORS_H
#define REEL_DETECT_DETECTORS_H

#include "tracer/detect/detector.h"

extern const struct reel_detector_class reel_deadlock_observed;
extern const struct reel_detector_class reel_lost_wakeup;
extern const struct reel_detector_class reel_hang;
extern const struct reel_detector_class reel_deadlock_predicted;
extern const struct reel_detector_class reel_race;
extern const struct reel_detector_class reel_misuse;
extern const struct reel_detector_class reel_convoy;
extern const struct reel_detector_class reel_contention;
extern const struct reel_detector_class reel_loop_blocked;
extern const struct reel_detector_class reel_queue;
extern const struct reel_detector_class reel_oversubscribed;
extern const struct reel_detector_class reel_serial;
extern const struct reel_detector_class reel_leak;

#endif
