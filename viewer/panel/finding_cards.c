#include "viewer/panel/finding_cards.h"

#include "tracer/detect/detector.h"
#include "tracer/export/finding_report.h"
#include "tracer/export/suppression.h"
#include "tracer/export/trace_texts.h"
#include "viewer/snapshot.h"

#define CARDS_MOST     2000u
#define LOCK_SETS_MOST 50u /* each is a look through all holds */

static void evidence_clear(gpointer data)
{
    struct reel_card_evidence *evidence = data;
    g_free(evidence->thread_name);
    g_free(evidence->role);
    g_free(evidence->place);
    g_free(evidence->frames);
    g_clear_pointer(&evidence->held, g_ptr_array_unref);
}

static void party_clear(gpointer data)
{
    g_free(((struct reel_card_party *)data)->text);
}

static void card_free(gpointer data)
{
    struct reel_finding_card *card = data;
    g_array_unref(card->evidence);
    g_array_unref(card->parties);
    g_free(card->text);
    g_free(card->markdown);
    g_free(card->suppression);
    g_free(card->common_locks);
    g_free(card);
}

struct reel_finding_cards *reel_finding_cards_ref(struct reel_finding_cards *cards)
{
    g_atomic_int_inc(&cards->references);
    return cards;
}

void reel_finding_cards_unref(struct reel_finding_cards *cards)
{
    if (!g_atomic_int_dec_and_test(&cards->references))
        return;
    g_ptr_array_unref(cards->card);
    reel_finding_set_free(cards->set);
    g_free(cards);
}

static char *valid(const char *text)
{
    return text ? g_utf8_make_valid(text, -1) : NULL;
}

static char *frame_text(const struct reel_export_frame *frame)
{
    g_autofree char *base = frame->file ? g_path_get_basename(frame->file) : NULL;
    g_autofree char *module = frame->module ? g_path_get_basename(frame->module) : NULL;
    const char *function = frame->function ? frame->function : "??";
    g_autofree char *text = base     ? g_strdup_printf("%s (%s:%d)", function, base, frame->line)
                            : module ? g_strdup_printf("%s in %s", function, module)
                                     : g_strdup(function);
    return valid(text);
}

static char *frames_text(const struct reel_export_names *names, uint32_t stack)
{
    struct reel_export_frame frame[REEL_EXPORT_FRAMES];
    unsigned count = stack ? names->stack(names->data, stack, frame, REEL_EXPORT_FRAMES) : 0;
    if (count == 0)
        return NULL;
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *line = frame_text(&frame[i]);
        g_string_append_printf(text, "%s#%-2u %s", i ? "\n" : "", i, line);
    }
    return g_string_free(text, FALSE);
}

static void add_evidence(struct reel_finding_card *card, const struct reel_export_names *names)
{
    for (size_t i = 0; i < card->finding->evidence_count; i++) {
        const struct reel_evidence *from = &card->finding->evidence[i];
        struct reel_export_frame place;
        struct reel_card_evidence evidence = {
            .time_ns = from->time_ns,
            .thread = from->thread,
            .object = from->object,
            .stack = from->stack,
            .thread_name = from->thread ? valid(names->thread(names->data, from->thread)) : NULL,
            .role = valid(from->role ? from->role : ""),
            .frames = frames_text(names, from->stack),
        };
        if (from->stack && reel_export_place(names, from->stack, &place))
            evidence.place = frame_text(&place);
        g_array_append_val(card->evidence, evidence);
    }
}

/* The locks that a thread held at a moment. */
static GPtrArray *locks_held(struct reel_query *query, uint32_t thread, uint64_t time_ns)
{
    GPtrArray *locks = g_ptr_array_new_with_free_func(g_free);
    sqlite3_stmt *row = reel_query_prepare(
        query, "SELECT DISTINCT coalesce(o.name, c.name || ' #' || o.id) FROM hold h "
               "JOIN object o ON o.id = h.object JOIN class c ON c.id = o.class "
               "WHERE h.thread = ?1 AND h.start_ns <= ?2 AND h.end_ns > ?2");
    if (row) {
        sqlite3_bind_int64(row, 1, thread);
        sqlite3_bind_int64(row, 2, (int64_t)time_ns);
        while (reel_query_step(query, row))
            g_ptr_array_add(locks, reel_query_text(row, 0));
    }
    sqlite3_finalize(row);
    return locks;
}

/* The lock sets of both accesses of a race, and what they have in common: nothing, else it would be
 * none. */
static void add_lock_sets(struct reel_query *query, struct reel_finding_card *card)
{
    GPtrArray *common = NULL;
    for (guint i = 0; i < card->evidence->len; i++) {
        struct reel_card_evidence *evidence =
            &g_array_index(card->evidence, struct reel_card_evidence, i);
        if (!evidence->thread || !evidence->time_ns)
            continue;
        evidence->held = locks_held(query, evidence->thread, evidence->time_ns);
        if (!common) {
            common = g_ptr_array_copy(evidence->held, (GCopyFunc)(void (*)(void))g_strdup, NULL);
            continue;
        }
        for (guint k = common->len; k-- > 0;)
            if (!g_ptr_array_find_with_equal_func(evidence->held, common->pdata[k], g_str_equal,
                                                  NULL))
                g_ptr_array_remove_index(common, k);
    }
    if (!common)
        return;
    g_ptr_array_add(common, NULL);
    g_autofree char *names = g_strjoinv(", ", (char **)common->pdata);
    card->common_locks = *names ? g_strdup_printf("Locks that both held: %s", names)
                                : g_strdup("Locks that both held: none");
    g_ptr_array_unref(common);
}

static void add_parties(struct reel_finding_card *card, const struct reel_export_names *names)
{
    for (size_t i = 0; i < card->finding->thread_count; i++) {
        uint32_t id = card->finding->threads[i];
        g_autofree char *text =
            g_strdup_printf("thread %s (process %d, thread id %d)", names->thread(names->data, id),
                            names->pid(names->data, id), names->tid(names->data, id));
        struct reel_card_party party = {.thread = id, .text = valid(text)};
        g_array_append_val(card->parties, party);
    }
    for (size_t i = 0; i < card->finding->object_count; i++) {
        uint32_t id = card->finding->objects[i];
        const char *class = names->object_class(names->data, id);
        const char *name = names->object(names->data, id);
        g_autofree char *text =
            g_strdup_printf("%s %s", class ? class : "object", name ? name : "without a name");
        struct reel_card_party party = {.object = id, .text = valid(text)};
        g_array_append_val(card->parties, party);
    }
}

static void add_texts(struct reel_finding_card *card, const struct reel_export_names *names,
                      const char *trace)
{
    struct reel_report_item item = {.finding = card->finding};
    const struct reel_finding_report report = {
        .version = REEL_VERSION, .trace = trace, .names = names, .item = &item, .count = 1};
    const struct reel_text_look look = {.utf8 = true};
    GString *text = g_string_new(NULL), *markdown = g_string_new(NULL),
            *suppression = g_string_new(NULL);
    reel_findings_text(text, &report, &look);
    reel_findings_markdown(markdown, &report);
    reel_suppression_write(suppression, card->finding);
    card->text = valid(text->str);
    card->markdown = valid(markdown->str);
    card->suppression = valid(suppression->str);
    g_string_free(text, TRUE);
    g_string_free(markdown, TRUE);
    g_string_free(suppression, TRUE);
}

gpointer reel_finding_cards_read(struct reel_query *query, gpointer request)
{
    struct reel_finding_cards *cards = g_new0(struct reel_finding_cards, 1);
    cards->references = 1;
    cards->card = g_ptr_array_new_with_free_func(card_free);
    cards->set = reel_findings_read(query->trace, &query->error);
    if (cards->set && reel_finding_set_count(cards->set) == 0) {
        cards->too_long = !GPOINTER_TO_INT(request);
        if (!cards->too_long) {
            reel_finding_set_free(cards->set);
            cards->set = reel_snapshot_detect(query->trace, &query->error);
        }
    }
    struct reel_trace_texts *texts =
        cards->set ? reel_trace_texts_new(query->trace, &query->error) : NULL;
    if (!texts) {
        reel_finding_cards_unref(cards);
        return NULL;
    }
    const struct reel_export_names *names = reel_trace_texts_names(texts);
    size_t count = MIN(reel_finding_set_count(cards->set), CARDS_MOST);
    for (size_t i = 0; i < count && !reel_query_is_dropped(query); i++) {
        struct reel_finding_card *card = g_new0(struct reel_finding_card, 1);
        card->finding = (struct reel_finding *)reel_finding_set_at(cards->set, i);
        card->evidence = g_array_new(FALSE, TRUE, sizeof(struct reel_card_evidence));
        g_array_set_clear_func(card->evidence, evidence_clear);
        card->parties = g_array_new(FALSE, TRUE, sizeof(struct reel_card_party));
        g_array_set_clear_func(card->parties, party_clear);
        add_evidence(card, names);
        if (card->finding->kind == REEL_FINDING_RACE && i < LOCK_SETS_MOST)
            add_lock_sets(query, card);
        add_parties(card, names);
        add_texts(card, names, reel_trace_path(query->trace));
        g_ptr_array_add(cards->card, card);
    }
    reel_trace_texts_free(texts);
    return cards;
}
