/* Prints the findings of a sealed trace, one a line: severity, kind, confidence, id, title; with -v
 * also the explanation, the evidence and the advice. For the catalogue test and for looking. */
#include <stdio.h>
#include <string.h>

#include "tracer/detect/advice.h"
#include "tracer/detect/detector.h"

int main(int argc, char **argv)
{
    bool verbose = argc > 2 && !strcmp(argv[1], "-v");
    struct reel_error error = {0};
    struct reel_trace *trace =
        argc > 1 ? reel_trace_open(argv[argc - 1], REEL_TRACE_WRITE, &error) : NULL;
    struct reel_finding_set *findings = trace ? reel_detect_trace(trace, &error) : NULL;
    if (!findings) {
        fprintf(stderr, "%s\n%s\n", error.message, error.hint);
        return 1;
    }
    for (size_t i = 0; i < reel_finding_set_count(findings); i++) {
        const struct reel_finding *finding = reel_finding_set_at(findings, i);
        printf("%s\t%s\t%s\t%s\t%s\n", reel_severity_name(finding->severity),
               reel_finding_kind_name(finding->kind), reel_confidence_name(finding->confidence),
               finding->id, finding->title);
        if (!verbose)
            continue;
        printf("  key %s\n  %s\n  fix: %s\n  seen %llu times, at %llu ns\n", finding->key,
               finding->explanation, finding->fix, (unsigned long long)finding->occurrences,
               (unsigned long long)finding->time_ns);
        for (size_t k = 0; k < finding->evidence_count; k++)
            printf("    %llu T%u object %u stack %u: %s\n",
                   (unsigned long long)finding->evidence[k].time_ns, finding->evidence[k].thread,
                   finding->evidence[k].object, finding->evidence[k].stack,
                   finding->evidence[k].role);
    }
    if (verbose) {
        char *advice = reel_advice(trace, &error);
        printf("advice: %s\n", advice ? advice : error.message);
        reel_advice_free(advice);
    }
    reel_finding_set_free(findings);
    reel_trace_close(trace, NULL);
    return 0;
}
