/* A finding: a claim about the user's program, true, explained and actionable. Made by detectors;
 * printed, exported and stored by everybody else. */
#ifndef REEL_DETECT_FINDING_H
#define REEL_DETECT_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, "name", "one line") */
#define REEL_FINDING_KINDS(X)                                                                      \
    X(DEADLOCK, "deadlock", "threads that wait for each other, now or in another order of events") \
    X(HANG, "hang", "no thread can run again")                                                     \
    X(RACE, "race", "two accesses to the same data that nothing orders")                           \
    X(MISUSE, "misuse", "a lock, condition, barrier or thread used against its rules")             \
    X(CONTENTION, "contention", "a lock that cost much of the run's possible parallelism")         \
    X(CONVOY, "convoy", "one lock handed from thread to thread, so that they run one at a time")   \
    X(GIL, "gil", "a global lock with forced hand-overs: threads take turns")                      \
    X(LOOP_BLOCKED, "loop-blocked", "an event loop's callback ran longer than its budget")         \
    X(QUEUE, "queue", "a queue that is always full, always empty, or only grows")                  \
    X(LOST_WAKEUP, "lost-wakeup", "a signal nobody waited for, then a wait that never ended")      \
    X(OVERSUBSCRIBED, "oversubscribed", "far more threads than processors could run")              \
    X(SERIAL, "serial", "independent waits one after another")                                     \
    X(LEAK, "leak", "threads never joined, locks never released")

#define REEL_FINDING_ENUM(NAME, text, meaning) REEL_FINDING_##NAME,
enum reel_finding_kind { REEL_FINDING_KINDS(REEL_FINDING_ENUM) REEL_FINDING_KIND_COUNT };

enum reel_confidence {
    REEL_CONFIDENCE_POSSIBLE, /* the pattern is there, and no filter excludes it */
    REEL_CONFIDENCE_PROVED,   /* this trace alone proves that a reordering reaches it */
    REEL_CONFIDENCE_OBSERVED, /* it happened */
};

enum reel_severity { REEL_SEVERITY_INFO, REEL_SEVERITY_WARNING, REEL_SEVERITY_ERROR };

/* One event (or state) that bears the finding out. Numbers are rows of the trace; 0 = none. */
struct reel_evidence {
    uint64_t time_ns;
    uint32_t thread, object, stack;
    char *role; /* "holds alice.lock, taken here", "waits for bob.lock here" … */
};

struct reel_finding {
    enum reel_finding_kind kind;
    enum reel_confidence confidence;
    enum reel_severity severity;
    char id[16]; /* "F-1a2b3c4d5e": the same in every run of the same build; set by the set */
    char *key;   /* what makes it this finding and no other: kind, sites, names; not addresses */
    char *title; /* one line */
    char *explanation; /* a paragraph: what happened or can happen, who, where, since when */
    char *fix;         /* what to change */
    uint64_t time_ns;  /* when it became true; 0: of the whole run */
    uint64_t end_ns;   /* until when; 0: to the end */
    uint32_t *threads, *objects;
    size_t thread_count, object_count;
    struct reel_evidence *evidence;
    size_t evidence_count;
    uint64_t occurrences; /* how often it was seen in this run */
};

/* Findings of a run: one of each key, in the order of severity, confidence, time. */
struct reel_finding_set;

struct reel_finding_set *reel_finding_set_new(void);
void reel_finding_set_free(struct reel_finding_set *set);
/* Takes over the finding (made by reel_finding_new). The same key again only counts, but for the
 * graver or surer one, which takes the place of the other. */
void reel_finding_set_add(struct reel_finding_set *set, struct reel_finding *finding);
/* Takes out, and frees, those that `goes` says so of. */
void reel_finding_set_remove(struct reel_finding_set *set,
                             bool (*goes)(void *data, const struct reel_finding *finding),
                             void *data);
size_t reel_finding_set_count(const struct reel_finding_set *set);
const struct reel_finding *reel_finding_set_at(struct reel_finding_set *set, size_t index);

/* Building one. Texts are copied. `format` as in printf. */
struct reel_finding *reel_finding_new(enum reel_finding_kind kind, enum reel_confidence confidence,
                                      enum reel_severity severity);
void reel_finding_free(struct reel_finding *finding);
__attribute__((format(printf, 2, 3))) void reel_finding_key(struct reel_finding *finding,
                                                            const char *format, ...);
__attribute__((format(printf, 2, 3))) void reel_finding_title(struct reel_finding *finding,
                                                              const char *format, ...);
__attribute__((format(printf, 2, 3))) void reel_finding_explain(struct reel_finding *finding,
                                                                const char *format, ...);
__attribute__((format(printf, 2, 3))) void reel_finding_fix(struct reel_finding *finding,
                                                            const char *format, ...);
void reel_finding_thread(struct reel_finding *finding, uint32_t thread);
void reel_finding_object(struct reel_finding *finding, uint32_t object);
__attribute__((format(printf, 6, 7))) void reel_finding_evidence(struct reel_finding *finding,
                                                                 uint64_t time_ns, uint32_t thread,
                                                                 uint32_t object, uint32_t stack,
                                                                 const char *format, ...);

bool reel_finding_has_object(const struct reel_finding *finding, uint32_t object);
bool reel_finding_has_thread(const struct reel_finding *finding, uint32_t thread);

const char *reel_finding_kind_name(enum reel_finding_kind kind);
const char *reel_finding_kind_meaning(enum reel_finding_kind kind);
bool reel_finding_kind_parse(const char *name, enum reel_finding_kind *kind);
bool reel_confidence_parse(const char *name, enum reel_confidence *confidence);
bool reel_severity_parse(const char *name, enum reel_severity *severity);
const char *reel_confidence_name(enum reel_confidence confidence);
const char *reel_severity_name(enum reel_severity severity);

#endif
