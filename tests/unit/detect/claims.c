#include "tests/unit/detect/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model/sealed.h"
#include "tracer/detect/trace_names.h"

struct reel_finding_set *findings_of(void **state, const char *text)
{
    struct reel_error error = {0};
    struct reel_trace *trace = record_text(*state, "claims.reel", text);
    seal(trace);
    struct reel_finding_set *findings = reel_detect_trace_with(trace, 0, &error);
    if (!findings)
        fail_msg("%s", error.message);
    reel_trace_close(trace, NULL);
    return findings;
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

const char *claims_of(void **state, const char *text, enum reel_severity least)
{
    static char claims[4096];
    struct reel_error error = {0};
    struct reel_trace *trace = record_text(*state, "claims.reel", text);
    seal(trace);
    struct reel_finding_set *findings = reel_detect_trace_with(trace, 0, &error);
    struct reel_trace_names *names = reel_trace_names_new(trace, &error);
    if (!findings || !names)
        fail_msg("%s", error.message);
    struct reel_detect_context context = {0};
    reel_trace_names_provide(names, &context);
    size_t used = 0;
    claims[0] = '\0';
    for (size_t i = 0; i < reel_finding_set_count(findings); i++) {
        const struct reel_finding *finding = reel_finding_set_at(findings, i);
        const char *object[16];
        size_t count = finding->object_count < 16 ? finding->object_count : 16;
        if (finding->severity < least)
            continue;
        assert_non_null(finding->title);
        assert_non_null(finding->explanation);
        assert_non_null(finding->fix);
        for (size_t k = 0; k < count; k++)
            object[k] = context.object_name(context.data, finding->objects[k]);
        qsort(object, count, sizeof *object, compare);
        used += (size_t)snprintf(claims + used, sizeof claims - used, "%s%s %s %s",
                                 used ? "\n" : "", reel_severity_name(finding->severity),
                                 reel_finding_kind_name(finding->kind),
                                 reel_confidence_name(finding->confidence));
        for (size_t k = 0; k < count; k++)
            used += (size_t)snprintf(claims + used, sizeof claims - used, " %s", object[k]);
        assert_true(used < sizeof claims);
    }
    reel_trace_names_free(names);
    reel_finding_set_free(findings);
    reel_trace_close(trace, NULL);
    return claims;
}

void assert_claims(void **state, const char *text, const char *expected)
{
    assert_string_equal(claims_of(state, text, REEL_SEVERITY_WARNING), expected);
}
