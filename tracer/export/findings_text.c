/* Findings for people, in the form a compiler's messages have. */
#include <string.h>

#include "tracer/export/finding_report.h"
#include "tracer/symbols/source.h"

struct text {
    GString *out;
    const struct reel_finding_report *report;
    const struct reel_text_look *look;
    struct reel_sources *sources;
};

static const char *style(const struct text *text, const char *sequence)
{
    return text->look->color ? sequence : "";
}
#define BOLD  "\033[1m"
#define DIM   "\033[2m"
#define RED   "\033[31;1m"
#define AMBER "\033[33;1m"
#define BLUE  "\033[36;1m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

static const char *severity_color(enum reel_severity severity)
{
    return severity == REEL_SEVERITY_ERROR ? RED : severity == REEL_SEVERITY_WARNING ? AMBER : BLUE;
}

/* Texts of the trace reach a terminal: no control characters. */
static void put(GString *out, const char *words)
{
    for (const char *at = words; *at; at++)
        g_string_append_c(out, (unsigned char)*at < 32 && *at != '\n' && *at != '\t' ? '?' : *at);
}

/* Columns as text counts them, from 1: of the first character that is no blank. */
static unsigned first_column(const char *line)
{
    unsigned column = 1;
    while (line[column - 1] == ' ' || line[column - 1] == '\t')
        column++;
    return line[column - 1] ? column : 1;
}

static const char *source_line(const struct text *text, const struct reel_export_frame *frame)
{
    return frame->file && frame->line > 0
               ? reel_sources_line(text->sources, frame->file, frame->line)
               : NULL;
}

static void put_place(struct text *text, const struct reel_export_frame *frame)
{
    const char *line = source_line(text, frame);
    if (frame->file && frame->line > 0) {
        put(text->out, reel_export_file(text->report, frame->file));
        g_string_append_printf(text->out, ":%d:", frame->line);
        if (line)
            g_string_append_printf(text->out, "%u:", first_column(line));
    } else if (frame->function || frame->module) {
        put(text->out, frame->function ? frame->function : frame->module);
        g_string_append_c(text->out, ':');
    }
}

static void put_source(struct text *text, const struct reel_export_frame *frame)
{
    const char *line = source_line(text, frame);
    if (!line || strlen(line) > 400)
        return;
    g_string_append_printf(text->out, "%6d | ", frame->line);
    put(text->out, line);
    unsigned column = first_column(line);
    g_string_append(text->out, "\n       | ");
    for (unsigned i = 0; i + 1 < column; i++)
        g_string_append_c(text->out, line[i] == '\t' ? '\t' : ' ');
    size_t width = strlen(line + column - 1);
    g_string_append(text->out, style(text, GREEN));
    g_string_append_c(text->out, '^');
    for (size_t i = 1; i < width && line[column - 1 + i] != ';' && i < 80; i++)
        g_string_append_c(text->out, '~');
    g_string_append_printf(text->out, "%s\n", style(text, PLAIN));
}

/* A paragraph, wrapped, `indent` columns in. */
static void put_paragraph(struct text *text, const char *label, const char *words)
{
    if (!words || !*words)
        return;
    g_autofree char *copy = g_utf8_make_valid(words, -1);
    size_t width = 96, column;
    bool begins = true; /* a line */
    g_string_append_printf(text->out, "  %s%s:%s ", style(text, BOLD), label, style(text, PLAIN));
    column = 4 + strlen(label);
    for (char *rest = copy; *rest;) {
        size_t length = strcspn(rest, " \n");
        if (length) {
            char kept = rest[length];
            rest[length] = '\0';
            size_t shown = (size_t)g_utf8_strlen(rest, -1);
            if (!begins && column + 1 + shown > width) {
                g_string_append(text->out, "\n    ");
                column = 4;
            } else if (!begins) {
                g_string_append_c(text->out, ' ');
                column++;
            }
            put(text->out, rest);
            column += shown;
            begins = false;
            rest[length] = kept;
        }
        rest += length;
        if (*rest == '\n') {
            g_string_append(text->out, "\n    ");
            column = 4;
            begins = true;
        }
        if (*rest)
            rest++;
    }
    g_string_append_c(text->out, '\n');
}

static void put_stack(struct text *text, uint32_t stack)
{
    struct reel_export_frame frames[REEL_EXPORT_FRAMES];
    const struct reel_export_names *names = text->report->names;
    unsigned count = stack ? names->stack(names->data, stack, frames, REEL_EXPORT_FRAMES) : 0;
    count = reel_export_telling(frames, count);
    for (unsigned i = 0; i < count; i++) {
        bool own = reel_export_is_own(&frames[i]);
        g_string_append_printf(text->out, "%s      #%-2u ", own ? "" : style(text, DIM), i);
        put(text->out, frames[i].function ? frames[i].function : "??");
        if (frames[i].file) {
            g_string_append(text->out, " (");
            put(text->out, reel_export_file(text->report, frames[i].file));
            g_string_append_printf(text->out, ":%d)", frames[i].line);
        } else if (frames[i].module) {
            const char *base = strrchr(frames[i].module, '/');
            g_string_append(text->out, " in ");
            put(text->out, base ? base + 1 : frames[i].module);
        }
        g_string_append_printf(text->out, "%s\n", own ? "" : style(text, PLAIN));
    }
}

static void put_finding(struct text *text, const struct reel_report_item *item)
{
    const struct reel_finding *finding = item->finding;
    const struct reel_export_names *names = text->report->names;
    struct reel_export_frame place = {0};
    bool placed = reel_export_finding_place(names, finding, &place);
    g_string_append(text->out, style(text, BOLD));
    if (placed)
        put_place(text, &place);
    else
        g_string_append(text->out, "reel:");
    g_autofree char *headline = reel_export_headline(finding);
    g_string_append_printf(text->out, "%s %s%s:%s %s%s:%s ", style(text, PLAIN),
                           style(text, severity_color(finding->severity)),
                           reel_severity_name(finding->severity), style(text, PLAIN),
                           style(text, BOLD), headline, style(text, PLAIN));
    put(text->out, finding->title ? finding->title : "");
    g_string_append_printf(text->out, " %s[%s]%s%s\n", style(text, DIM), finding->id,
                           item->known ? " (in the baseline)" : "", style(text, PLAIN));
    if (text->look->brief)
        return;
    if (placed)
        put_source(text, &place);
    put_paragraph(text, "what", finding->explanation);
    for (size_t i = 0; i < finding->evidence_count; i++) {
        const struct reel_evidence *evidence = &finding->evidence[i];
        const char *thread = evidence->thread ? names->thread(names->data, evidence->thread) : NULL;
        g_string_append(text->out, "    ");
        if (evidence->time_ns)
            g_string_append_printf(text->out, "%s%.6f s:%s ", style(text, DIM),
                                   (double)evidence->time_ns / 1e9, style(text, PLAIN));
        g_string_append(text->out, style(text, BOLD));
        if (thread) {
            put(text->out, thread);
            g_string_append_c(text->out, ' ');
        }
        g_string_append(text->out, style(text, PLAIN));
        put(text->out, evidence->role ? evidence->role : "");
        g_string_append_c(text->out, '\n');
        put_stack(text, evidence->stack);
    }
    put_paragraph(text, "fix", finding->fix);
    if (finding->occurrences > 1)
        g_string_append_printf(text->out, "  seen %" G_GUINT64_FORMAT " times in this run\n",
                               (guint64)finding->occurrences);
}

static void put_sum(struct text *text)
{
    unsigned count[3] = {0}, suppressed = 0, known = 0;
    for (size_t i = 0; i < text->report->count; i++) {
        const struct reel_report_item *item = &text->report->item[i];
        if (item->suppressed)
            suppressed++;
        else if (item->known)
            known++;
        else
            count[item->finding->severity]++;
    }
    g_string_append_printf(text->out, "%u error%s, %u warning%s, %u note%s", count[2],
                           count[2] == 1 ? "" : "s", count[1], count[1] == 1 ? "" : "s", count[0],
                           count[0] == 1 ? "" : "s");
    if (known)
        g_string_append_printf(text->out, ", %u in the baseline", known);
    if (suppressed)
        g_string_append_printf(text->out, ", %u suppressed", suppressed);
    g_string_append_c(text->out, '\n');
}

void reel_findings_text(GString *out, const struct reel_finding_report *report,
                        const struct reel_text_look *look)
{
    struct text text = {.out = out, .report = report, .look = look, .sources = reel_sources_new()};
    for (size_t i = 0; i < report->count; i++) {
        if (report->item[i].suppressed)
            continue;
        put_finding(&text, &report->item[i]);
        if (!look->brief)
            g_string_append_c(out, '\n');
    }
    if (!look->without_sum)
        put_sum(&text);
    reel_sources_free(text.sources);
}
