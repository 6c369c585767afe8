#include "tracer/commands/check_findings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracer/commands/command.h"
#include "tracer/commands/output.h"
#include "tracer/export/trace_texts.h"

unsigned reel_check_entries(struct reel_check_words *words, GOptionEntry *entries)
{
    *words = (struct reel_check_words){.error_exitcode = REEL_STATUS_FINDINGS};
    const GOptionEntry all[] = {
        {"format", 0, 0, G_OPTION_ARG_STRING_ARRAY, &words->formats,
         "Report as text, json, sarif, junit, github or markdown; may be repeated",
         "FORMAT[=FILE]"},
        {"output", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->outputs,
         "Where the report of the --format before goes (default: standard output)", "FILE"},
        {"fail-on", 0, 0, G_OPTION_ARG_STRING, &words->fail_on,
         "Fail on findings of this severity or graver: error (default), warning, info, never",
         "SEVERITY"},
        {"error-exitcode", 0, 0, G_OPTION_ARG_INT, &words->error_exitcode,
         "The status of such a failure (default 66)", "N"},
        {"suppressions", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->suppressions,
         "Leave out the findings this file lists; may be repeated", "FILE"},
        {"no-default-suppressions", 0, 0, G_OPTION_ARG_NONE, &words->no_default_suppressions,
         "Do not use the suppressions that come with Reel", NULL},
        {"write-suppressions", 0, 0, G_OPTION_ARG_FILENAME, &words->write_suppressions,
         "Write a suppression for every finding that was reported", "FILE"},
        {"baseline", 0, 0, G_OPTION_ARG_FILENAME, &words->baseline,
         "Fail only on findings that are not in this earlier JSON report", "FILE"}};
    G_STATIC_ASSERT(G_N_ELEMENTS(all) <= REEL_CHECK_ENTRIES);
    memcpy(entries, all, sizeof all);
    return G_N_ELEMENTS(all);
}

void reel_check_words_clear(struct reel_check_words *words)
{
    g_strfreev(words->formats);
    g_strfreev(words->outputs);
    g_strfreev(words->suppressions);
    g_free(words->write_suppressions);
    g_free(words->baseline);
    g_free(words->fail_on);
    memset(words, 0, sizeof *words);
}

static bool parse_limit(const char *text, int *limit, struct reel_error *error)
{
    *limit = REEL_SEVERITY_ERROR;
    if (!text)
        return true;
    for (int severity = REEL_SEVERITY_INFO; severity <= REEL_SEVERITY_ERROR; severity++)
        if (strcmp(text, reel_severity_name((enum reel_severity)severity)) == 0) {
            *limit = severity;
            return true;
        }
    *limit = REEL_SEVERITY_ERROR + 1;
    return strcmp(text, "never") == 0 ||
           reel_error_set(error, REEL_ERROR_USAGE, 0,
                          "--fail-on is one of error, warning, info, never, not '%s'", text);
}

bool reel_check_rules_make(struct reel_check_rules *rules, const struct reel_check_words *words,
                           const char *program, struct reel_error *error)
{
    *rules = (struct reel_check_rules){.error_status = words->error_exitcode,
                                       .suppressions = reel_suppressions_new()};
    if (words->error_exitcode < 0 || words->error_exitcode > 255)
        return reel_error_set(error, REEL_ERROR_USAGE, 0, "--error-exitcode is from 0 to 255");
    if (!parse_limit(words->fail_on, &rules->fail_severity, error))
        return false;
    if (!words->no_default_suppressions &&
        !reel_suppressions_add_default(rules->suppressions, error))
        return false;
    for (char **path = words->suppressions; path && *path; path++)
        if (!reel_suppressions_read(rules->suppressions, *path, error))
            return false;
    if (words->baseline) {
        rules->baseline = reel_baseline_read(words->baseline, error);
        if (!rules->baseline)
            return false;
    }
    if (words->write_suppressions) {
        rules->written = g_string_new(NULL);
        rules->write_path = words->write_suppressions;
    }
    rules->outputs = reel_check_outputs_new(words->formats, words->outputs, program, error);
    return rules->outputs != NULL;
}

static void tell_unused(void *data, const char *file, unsigned line, const char *text)
{
    (void)data;
    fprintf(stderr, "reel: %s:%u: this suppression matched nothing: %s\n", file, line, text);
}

bool reel_check_rules_finish(struct reel_check_rules *rules, struct reel_error *error)
{
    if (rules->suppressions && !rules->quiet)
        reel_suppressions_unused(rules->suppressions, tell_unused, NULL);
    if (!rules->written)
        return true;
    g_autoptr(GError) cause = NULL;
    g_string_prepend(rules->written,
                     "# Suppressions for reel check; see reel-check(1). Replace the "
                     "titles by reasons.\n");
    return g_file_set_contents(rules->write_path, rules->written->str, (gssize)rules->written->len,
                               &cause) ||
           reel_error_set(error, REEL_ERROR_SYSTEM, 0, "cannot write suppressions: %s",
                          cause->message);
}

void reel_check_rules_clear(struct reel_check_rules *rules)
{
    reel_suppressions_free(rules->suppressions);
    reel_baseline_free(rules->baseline);
    reel_check_outputs_free(rules->outputs);
    if (rules->written)
        g_string_free(rules->written, TRUE);
    memset(rules, 0, sizeof *rules);
}

/* For people: all of it where nothing else was asked for, else a line a finding. While a program
 * runs its standard output is its own. */
static void print_text(const struct reel_check_rules *rules,
                       const struct reel_finding_report *report, unsigned shown)
{
    bool any = reel_check_outputs_any(rules->outputs);
    if (any && (rules->quiet || rules->offline))
        return;
    if (!shown && !rules->offline)
        return;
    struct reel_output output;
    reel_output_open(&output, false);
    FILE *file = rules->offline ? stdout : stderr;
    const char *term = g_getenv("TERM"), *no_color = g_getenv("NO_COLOR");
    struct reel_text_look look = {
        .color =
            isatty(fileno(file)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0,
        .utf8 = output.utf8,
        .brief = any,
    };
    g_autoptr(GString) text = g_string_new(NULL);
    reel_findings_text(text, report, &look);
    if (!look.utf8) {
        g_autofree char *plain = g_convert_with_fallback(
            text->str, (gssize)text->len, "ASCII//TRANSLIT", "UTF-8", "?", NULL, NULL, NULL);
        fputs(plain ? plain : text->str, file);
    } else {
        fputs(text->str, file);
    }
    fflush(file);
}

bool reel_check_report(struct reel_check_rules *rules, struct reel_trace *trace,
                       struct reel_finding_set *findings, const char *path,
                       struct reel_check_result *result, struct reel_error *error)
{
    struct reel_trace_texts *texts = reel_trace_texts_new(trace, error);
    if (!texts)
        return false;
    g_autofree char *folder = g_get_current_dir();
    char *command = reel_trace_meta(trace, "command");
    size_t count = reel_finding_set_count(findings);
    struct reel_finding_report report = {
        .version = REEL_VERSION,
        .command = command,
        .folder = folder,
        .has_baseline = rules->baseline != NULL,
        .names = reel_trace_texts_names(texts),
        .item = g_new0(struct reel_report_item, count + 1),
        .count = count,
    };
    unsigned shown = 0;
    for (size_t i = 0; i < count; i++) {
        struct reel_report_item *item = &report.item[i];
        item->finding = reel_finding_set_at(findings, i);
        item->reason = reel_suppressions_match(rules->suppressions, item->finding, report.names);
        item->suppressed = item->reason != NULL;
        item->known = reel_baseline_knows(rules->baseline, item->finding->id);
        if (!item->suppressed && rules->written)
            reel_suppression_write(rules->written, item->finding);
        if (!reel_report_counts(item))
            continue;
        shown++;
        if ((int)item->finding->severity >= rules->fail_severity)
            result->failing++;
    }
    result->shown += shown;
    report.trace = shown || rules->kept ? path : NULL;
    bool good = reel_check_outputs_write(rules->outputs, &report, error);
    if (good)
        print_text(rules, &report, shown);
    g_free(report.item);
    sqlite3_free(command);
    reel_trace_texts_free(texts);
    return good;
}
