/* Frames of many shapes, compiled at several levels of optimisation: each calls `leaf` at its
 * bottom. SHAPES(name) names one level's functions. */
#ifndef REEL_TESTS_UNIT_PROBE_SHAPES_H
#define REEL_TESTS_UNIT_PROBE_SHAPES_H

typedef void (*shape_leaf)(void);

struct shape {
    const char *name;
    void (*run)(shape_leaf leaf);
};

/* Each ends with a NULL name. */
extern const struct shape shapes_plain[];     /* -O0 */
extern const struct shape shapes_optimised[]; /* -O2 */
extern const struct shape shapes_fast[];      /* -O3, no frame pointers, vectors */
extern const struct shape shapes_cxx[];

#endif
