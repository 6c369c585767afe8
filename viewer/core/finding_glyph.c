#include "viewer/core/finding_glyph.h"

const char *reel_finding_glyph(enum reel_finding_kind kind)
{
    static const char *const glyphs[REEL_FINDING_KIND_COUNT] = {
        [REEL_FINDING_DEADLOCK] = "⚭",
        [REEL_FINDING_HANG] = "∞",
        [REEL_FINDING_RACE] = "⚡",
        [REEL_FINDING_MISUSE] = "⚠",
        [REEL_FINDING_CONTENTION] = "≋",
        [REEL_FINDING_CONVOY] = "≋",
        [REEL_FINDING_GIL] = "≋",
        [REEL_FINDING_LOOP_BLOCKED] = "↻",
        [REEL_FINDING_QUEUE] = "☰",
        [REEL_FINDING_LOST_WAKEUP] = "☾",
        [REEL_FINDING_OVERSUBSCRIBED] = "⋙",
        [REEL_FINDING_SERIAL] = "⇥",
        [REEL_FINDING_LEAK] = "♦",
    };
    return kind < REEL_FINDING_KIND_COUNT && glyphs[kind] ? glyphs[kind] : "•";
}
