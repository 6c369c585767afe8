/* A sign for each kind of finding, so that timeline and list are read at a glance and colour is
 * never the only sign. All are in common fonts. */
#ifndef REEL_VIEWER_CORE_FINDING_GLYPH_H
#define REEL_VIEWER_CORE_FINDING_GLYPH_H

#include "tracer/detect/finding.h"

/* "⚭" for a deadlock; "•" for a kind that is not known. */
const char *reel_finding_glyph(enum reel_finding_kind kind);

#endif
