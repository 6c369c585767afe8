/* Claims: what the detectors say of a small trace in the text form, one line for each finding of at
 * least that severity: "error deadlock observed A B", with the names of its objects in alphabetical
 * order. */
#ifndef REEL_TESTS_CLAIMS_H
#define REEL_TESTS_CLAIMS_H

#include "tracer/detect/detector.h"

/* Valid until the next call. */
const char *claims_of(void **state, const char *text, enum reel_severity least);
/* Asserts those of warnings and errors. */
void assert_claims(void **state, const char *text, const char *expected);
/* The findings themselves; the caller frees them. */
struct reel_finding_set *findings_of(void **state, const char *text);

#endif
