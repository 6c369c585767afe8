#include "viewer/panel/findings_page.h"

#include "viewer/core/finding_glyph.h"
#include "viewer/panel/finding_card.h"
#include "viewer/panel/row_table.h"

struct _ReelFindingsPage {
    ReelPanelPage parent_instance;
    ReelRowTable *table;
    ReelFindingCard *card;
    GtkStack *stack;
    GtkLabel *message;
    GtkWidget *look;
    struct reel_finding_cards *cards;
    guint count;
    gboolean look_anyway;
};

enum { PROPERTY_COUNT = 1 };

G_DEFINE_FINAL_TYPE(ReelFindingsPage, reel_findings_page, REEL_TYPE_PANEL_PAGE)

enum { COLUMN_KIND, COLUMN_TITLE, COLUMN_SURE, COLUMN_TIME, COLUMNS };
static const struct reel_row_column columns[COLUMNS] = {
    {"Kind", REEL_ROW_TEXT, 105, "What kind of fault it is"},
    {"Finding", REEL_ROW_TEXT, -200, "What was found"},
    {"How sure", REEL_ROW_TEXT, 75,
     "observed: it happened; proved: another order of this run's "
     "steps reaches it; possible: the pattern is there"},
    {"Since", REEL_ROW_MOMENT, 120, "When it became true"},
};

guint reel_findings_page_count(ReelFindingsPage *self)
{
    return self->count;
}

/* The document's number of a finding; G_MAXUINT: it does not have it. */
static guint number_of(ReelFindingsPage *self, const char *id)
{
    ReelDocument *document = reel_panel_page_document(REEL_PANEL_PAGE(self));
    guint count = document ? reel_document_finding_count(document) : 0;
    for (guint i = 0; i < count; i++)
        if (g_strcmp0(reel_document_finding(document, i)->id, id) == 0)
            return i;
    return G_MAXUINT;
}

/* The card that a row of the list stands for. */
static const struct reel_finding_card *card_of(ReelFindingsPage *self, ReelRow *row)
{
    return self->cards && row->index < self->cards->card->len ? self->cards->card->pdata[row->index]
                                                              : NULL;
}

/* Selects the row of that finding, the first one for one that is no more. */
static void select_finding(ReelFindingsPage *self, const char *id)
{
    GListModel *rows = reel_row_table_rows(self->table);
    guint found = 0;
    for (guint i = 0; i < g_list_model_get_n_items(rows); i++) {
        g_autoptr(ReelRow) row = g_list_model_get_item(rows, i);
        const struct reel_finding_card *card = card_of(self, row);
        if (card && g_strcmp0(card->finding->id, id) == 0)
            found = i;
    }
    reel_row_table_select(self->table, found);
}

static void set_count(ReelFindingsPage *self, guint count)
{
    self->count = count;
    g_object_notify(G_OBJECT(self), "count");
}

static ReelRow *row_of(const struct reel_finding_card *card)
{
    const struct reel_finding *finding = card->finding;
    ReelRow *row = reel_row_new(COLUMNS);
    const struct reel_card_evidence *first =
        card->evidence->len ? &g_array_index(card->evidence, struct reel_card_evidence, 0) : NULL;
    reel_row_take_text(row, COLUMN_KIND,
                       g_strdup_printf("%s %s", reel_finding_glyph(finding->kind),
                                       reel_finding_kind_name(finding->kind)));
    reel_row_take_text(row, COLUMN_TITLE,
                       g_utf8_make_valid(finding->title ? finding->title : "", -1));
    reel_row_set_text(row, COLUMN_SURE, reel_confidence_name(finding->confidence));
    if (finding->time_ns)
        reel_row_set_number(row, COLUMN_TIME, (double)finding->time_ns);
    row->time_ns = finding->time_ns          ? finding->time_ns
                   : first && first->time_ns ? first->time_ns
                                             : REEL_ROW_NO_TIME;
    row->thread = first ? first->thread : 0;
    row->object = first ? first->object : 0;
    row->stack = first ? first->stack : 0;
    reel_row_identify(row, "%s", finding->id);
    return row;
}

static void say(ReelFindingsPage *self, const char *text, gboolean offer)
{
    gtk_label_set_text(self->message, text);
    gtk_widget_set_visible(self->look, offer);
    gtk_stack_set_visible_child_name(self->stack, "message");
}

static void answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelFindingsPage *self = owner;
    struct reel_finding_cards *cards = answer;
    if (error) {
        g_autofree char *text = reel_panel_error_text(error);
        say(self, text, FALSE);
        return;
    }
    gboolean is_unchecked =
        !self->look_anyway &&
        !reel_document_is_checked(reel_panel_page_document(REEL_PANEL_PAGE(self)));
    g_clear_pointer(&self->cards, reel_finding_cards_unref);
    self->cards = reel_finding_cards_ref(cards);
    set_count(self, cards->card->len);
    if (cards->card->len == 0) {
        say(self,
            is_unchecked ? "This trace was not looked over for faults yet."
                         : "No faults found in this run: no deadlock, race, misuse or costly "
                           "contention that the detectors know.",
            is_unchecked);
        return;
    }
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < cards->card->len; i++) {
        ReelRow *row = row_of(cards->card->pdata[i]);
        row->index = i;
        g_ptr_array_add(rows, row);
    }
    reel_row_table_set_rows(self->table, rows);
    gtk_stack_set_visible_child_name(self->stack, "list");
    /* The same one again, where the trace was read anew. */
    ReelRow *row = reel_row_table_selected(self->table);
    if (row)
        reel_finding_card_show(self->card, self->cards, row->index);
    else
        reel_row_table_select(self->table, 0);
}

static void reel_findings_page_refresh(ReelPanelPage *page)
{
    ReelFindingsPage *self = REEL_FINDINGS_PAGE(page);
    ReelDocument *document = reel_panel_page_document(page);
    const struct reel_query_job job = {
        .run = reel_finding_cards_read,
        .answered = answered,
        .request = GINT_TO_POINTER(self->look_anyway && !reel_document_is_checked(document)),
        .free_answer = (GDestroyNotify)reel_finding_cards_unref,
    };
    reel_panel_page_ask(page, 1, &job);
}

static void reel_findings_page_clear(ReelPanelPage *page)
{
    ReelFindingsPage *self = REEL_FINDINGS_PAGE(page);
    reel_finding_card_show(self->card, NULL, 0);
    g_clear_pointer(&self->cards, reel_finding_cards_unref);
    self->look_anyway = FALSE;
    ReelDocument *document = reel_panel_page_document(page);
    set_count(self, document ? reel_document_finding_count(document) : 0);
    say(self, "Looking for faults…", FALSE);
}

static void selected(ReelRowTable *table, ReelRow *row, ReelFindingsPage *self)
{
    (void)table;
    const struct reel_finding_card *card = row ? card_of(self, row) : NULL;
    if (!card)
        return;
    reel_finding_card_show(self->card, self->cards, row->index);
    guint number = number_of(self, card->finding->id);
    if (number != G_MAXUINT && gtk_widget_get_mapped(GTK_WIDGET(self)))
        reel_session_set_finding(reel_panel_page_session(REEL_PANEL_PAGE(self)), number);
}

static void activated(ReelRowTable *table, ReelRow *row, ReelFindingsPage *self)
{
    (void)table;
    ReelPanelPage *page = REEL_PANEL_PAGE(self);
    const struct reel_finding_card *card = card_of(self, row);
    guint number = card ? number_of(self, card->finding->id) : G_MAXUINT;
    reel_panel_page_go(page, row);
    if (number != G_MAXUINT)
        reel_session_go_to_finding(reel_panel_page_session(page), number);
}

/* Selected elsewhere: on the timeline, by a key. */
static void finding_changed(ReelFindingsPage *self)
{
    ReelSession *session = reel_panel_page_session(REEL_PANEL_PAGE(self));
    guint number = reel_session_finding(session);
    ReelDocument *document = reel_panel_page_document(REEL_PANEL_PAGE(self));
    if (!document || number >= reel_document_finding_count(document) || !self->cards)
        return;
    const char *id = reel_document_finding(document, number)->id;
    ReelRow *now = reel_row_table_selected(self->table);
    const struct reel_finding_card *card = now ? card_of(self, now) : NULL;
    if (card && g_strcmp0(card->finding->id, id) == 0)
        return;
    select_finding(self, id);
}

static void reel_findings_page_bound(ReelPanelPage *page, ReelSession *session)
{
    g_signal_connect_object(session, "notify::finding", G_CALLBACK(finding_changed), page,
                            G_CONNECT_SWAPPED);
}

static void go(ReelFindingCard *card, guint64 time_ns, guint thread, guint object, guint stack,
               ReelPanelPage *self)
{
    (void)card;
    reel_panel_page_go_to(self, time_ns, thread, object, stack);
}

static void look_anyway(ReelFindingsPage *self)
{
    self->look_anyway = TRUE;
    reel_panel_page_outdate(REEL_PANEL_PAGE(self));
}

static void reel_findings_page_get_property(GObject *object, guint id, GValue *value,
                                            GParamSpec *spec)
{
    if (id == PROPERTY_COUNT)
        g_value_set_uint(value, REEL_FINDINGS_PAGE(object)->count);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void reel_findings_page_dispose(GObject *object)
{
    ReelFindingsPage *self = REEL_FINDINGS_PAGE(object);
    g_clear_pointer(&self->cards, reel_finding_cards_unref);
    G_OBJECT_CLASS(reel_findings_page_parent_class)->dispose(object);
}

static void reel_findings_page_class_init(ReelFindingsPageClass *class)
{
    REEL_PANEL_PAGE_CLASS(class)->refresh = reel_findings_page_refresh;
    REEL_PANEL_PAGE_CLASS(class)->clear = reel_findings_page_clear;
    REEL_PANEL_PAGE_CLASS(class)->bound = reel_findings_page_bound;
    G_OBJECT_CLASS(class)->get_property = reel_findings_page_get_property;
    G_OBJECT_CLASS(class)->dispose = reel_findings_page_dispose;
    g_object_class_install_property(G_OBJECT_CLASS(class), PROPERTY_COUNT,
                                    g_param_spec_uint("count", NULL, NULL, 0, G_MAXUINT, 0,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void reel_findings_page_init(ReelFindingsPage *self)
{
    GtkWidget *table = reel_row_table_new("Findings", columns, COLUMNS);
    self->table = REEL_ROW_TABLE(table);
    GtkWidget *card = reel_finding_card_new();
    self->card = REEL_FINDING_CARD(card);
    GtkWidget *paned = gtk_paned_new(GTK_ORIENTATION_HORIZONTAL);
    gtk_paned_set_start_child(GTK_PANED(paned), table);
    gtk_paned_set_end_child(GTK_PANED(paned), card);
    gtk_paned_set_shrink_start_child(GTK_PANED(paned), FALSE);
    gtk_paned_set_shrink_end_child(GTK_PANED(paned), FALSE);
    gtk_widget_set_size_request(table, 280, -1);
    gtk_widget_set_hexpand(card, TRUE);
    gtk_paned_set_position(GTK_PANED(paned), 440);
    GtkWidget *empty = gtk_box_new(GTK_ORIENTATION_VERTICAL, 8);
    gtk_widget_set_valign(empty, GTK_ALIGN_CENTER);
    self->message = GTK_LABEL(gtk_label_new(NULL));
    gtk_label_set_wrap(self->message, TRUE);
    gtk_label_set_justify(self->message, GTK_JUSTIFY_CENTER);
    self->look = gtk_button_new_with_mnemonic("_Look for Faults");
    gtk_widget_set_halign(self->look, GTK_ALIGN_CENTER);
    gtk_widget_set_visible(self->look, FALSE);
    gtk_widget_add_css_class(GTK_WIDGET(self->message), "reel-empty");
    gtk_box_append(GTK_BOX(empty), GTK_WIDGET(self->message));
    gtk_box_append(GTK_BOX(empty), self->look);
    self->stack = GTK_STACK(gtk_stack_new());
    gtk_stack_add_named(self->stack, empty, "message");
    gtk_stack_add_named(self->stack, paned, "list");
    g_signal_connect(table, "selected", G_CALLBACK(selected), self);
    g_signal_connect(table, "activated", G_CALLBACK(activated), self);
    g_signal_connect(card, "go", G_CALLBACK(go), self);
    g_signal_connect_object(self->look, "clicked", G_CALLBACK(look_anyway), self,
                            G_CONNECT_SWAPPED);
    reel_panel_page_set_child(REEL_PANEL_PAGE(self), GTK_WIDGET(self->stack));
    reel_panel_page_set_primary(REEL_PANEL_PAGE(self), table);
}
