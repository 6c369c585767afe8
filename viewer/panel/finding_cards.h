/* Everything a card says about a finding, read in the worker: parties, evidence with stacks, and
 * the finding as text, as Markdown and as a suppression. Fixed once made; freed by anyone. */
#ifndef REEL_VIEWER_PANEL_FINDING_CARDS_H
#define REEL_VIEWER_PANEL_FINDING_CARDS_H

#include <glib.h>

#include "tracer/detect/finding.h"
#include "viewer/query_service.h"

struct reel_card_evidence {
    uint64_t time_ns; /* 0: none */
    uint32_t thread, object, stack;
    char *thread_name; /* NULL: none */
    char *role;
    char *place;     /* "pay (bank.c:30)", in the program's own code; NULL: not known */
    char *frames;    /* one a line, innermost first; NULL: not known */
    GPtrArray *held; /* of a race: names of the locks the thread held then; NULL: not asked */
};

struct reel_card_party {
    uint32_t thread, object; /* one of them */
    char *text;              /* "thread worker/1 (process 4711, thread id 4713)" */
};

struct reel_finding_card {
    struct reel_finding *finding; /* owned by the set */
    GArray *evidence;             /* struct reel_card_evidence */
    GArray *parties;              /* struct reel_card_party */
    char *text, *markdown, *suppression;
    char *common_locks; /* of a race: what both held, in words; NULL: of nothing else */
};

struct reel_finding_cards {
    gint references;
    struct reel_finding_set *set;
    GPtrArray *card;   /* struct reel_finding_card, the gravest first */
    gboolean too_long; /* the file has none, and detectors were not to be run */
};

struct reel_finding_cards *reel_finding_cards_ref(struct reel_finding_cards *cards);
void reel_finding_cards_unref(struct reel_finding_cards *cards);

/* For a query service. `request`: GINT_TO_POINTER of whether detectors are run over a trace that
 * has no findings. */
gpointer reel_finding_cards_read(struct reel_query *query, gpointer request);

#endif
