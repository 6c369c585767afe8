/* How detectors speak of threads, objects and places: the context's names, with a plain word where
 * it knows none; and the parts that keys are built from, which must not differ between runs. Texts
 * are the context's or literals and live as long as the detection, but where a GString is filled.
 */
#ifndef REEL_DETECT_DESCRIBE_H
#define REEL_DETECT_DESCRIBE_H

#include <glib.h>

#include "tracer/detect/detector.h"

const char *reel_describe_object(const struct reel_detect_context *context, uint32_t object);
const char *reel_describe_thread(const struct reel_detect_context *context, uint32_t thread);
/* " at pay (bank.c:30)", or "" when the place is not known. Into `text`, which is returned. */
const char *reel_describe_at(const struct reel_detect_context *context, uint32_t stack,
                             GString *text);
/* "pay (bank.c:30)", or "an unknown place". */
const char *reel_describe_site(const struct reel_detect_context *context, uint32_t stack);
/* "mutex", "condition" …, for an object. */
const char *reel_describe_class(const struct reel_detect_context *context, uint32_t object);
/* "1.2 ms", into a buffer of 32. */
const char *reel_describe_duration(uint64_t ns, char *text);

/* For keys: the object's name without the number that tells it from others made at the same place,
 * when a place is known; and the site, "?" when not known. */
void reel_describe_key_object(const struct reel_detect_context *context, uint32_t object,
                              GString *key);
void reel_describe_key_site(const struct reel_detect_context *context, uint32_t stack,
                            GString *key);

const struct reel_object *reel_describe_facts(const struct reel_detect_context *context,
                                              uint32_t object);
enum reel_class reel_class_of(const struct reel_detect_context *context, uint32_t object);
/* The thread that an object of class THREAD is; 0 = not known. */
uint32_t reel_thread_of(const struct reel_detect_context *context, uint32_t object);

#endif
