#include "viewer/panel/finding_card.h"

#include "tracer/model/time_text.h"
#include "viewer/core/finding_glyph.h"
#include "viewer/panel/row.h"
#include "viewer/panel/suppress.h"

struct _ReelFindingCard {
    GtkWidget parent_instance;
    GtkWidget *scrolled;
    GtkBox *box;
    struct reel_finding_cards *cards;
    guint index;
};

static guint go_signal;

G_DEFINE_FINAL_TYPE(ReelFindingCard, reel_finding_card, GTK_TYPE_WIDGET)

static const struct reel_finding_card *shown(ReelFindingCard *self)
{
    return self->cards ? self->cards->card->pdata[self->index] : NULL;
}

static GtkWidget *add_label(GtkWidget *box, const char *text, const char *class)
{
    GtkWidget *label = gtk_label_new(text);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    gtk_widget_set_focusable(label, FALSE); /* the card is read as a whole, not word by word */
    if (class)
        gtk_widget_add_css_class(label, class);
    gtk_box_append(GTK_BOX(box), label);
    return label;
}

static void emit_go(ReelFindingCard *self, uint64_t time_ns, uint32_t thread, uint32_t object,
                    uint32_t stack)
{
    g_signal_emit(self, go_signal, 0, (guint64)(time_ns ? time_ns : REEL_ROW_NO_TIME), thread,
                  object, stack);
}

static void go_to_finding(ReelFindingCard *self)
{
    const struct reel_finding_card *card = shown(self);
    const struct reel_card_evidence *first =
        card->evidence->len ? &g_array_index(card->evidence, struct reel_card_evidence, 0) : NULL;
    uint64_t time = card->finding->time_ns ? card->finding->time_ns : first ? first->time_ns : 0;
    emit_go(self, time, first ? first->thread : 0, first ? first->object : 0,
            first ? first->stack : 0);
}

static void go_to_evidence(GtkListBox *list, GtkListBoxRow *row, gpointer data)
{
    (void)list;
    ReelFindingCard *self = data;
    const struct reel_finding_card *card = shown(self);
    guint index = (guint)gtk_list_box_row_get_index(row);
    if (index >= card->evidence->len)
        return;
    const struct reel_card_evidence *evidence =
        &g_array_index(card->evidence, struct reel_card_evidence, index);
    emit_go(self, evidence->time_ns, evidence->thread, evidence->object, evidence->stack);
}

static void copy(ReelFindingCard *self, const char *text)
{
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), text);
}

static void copy_text(ReelFindingCard *self)
{
    copy(self, shown(self)->text);
}

static void copy_markdown(ReelFindingCard *self)
{
    copy(self, shown(self)->markdown);
}

static void suppress(ReelFindingCard *self)
{
    reel_suppress_ask(GTK_WIDGET(self), shown(self)->suppression);
}

static void add_button(GtkWidget *box, ReelFindingCard *self, const char *text, const char *help,
                       void (*clicked)(ReelFindingCard *))
{
    GtkWidget *button = gtk_button_new_with_mnemonic(text);
    gtk_widget_set_tooltip_text(button, help);
    gtk_widget_set_valign(button, GTK_ALIGN_START);
    g_signal_connect_object(button, "clicked", G_CALLBACK(clicked), self, G_CONNECT_SWAPPED);
    gtk_flow_box_insert(GTK_FLOW_BOX(box), button, -1);
}

/* A deadlock is told thread by thread: what each holds, what it wants. */
static void add_ring(ReelFindingCard *self, const struct reel_finding_card *card)
{
    GHashTable *told = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < card->evidence->len; i++) {
        const struct reel_card_evidence *first =
            &g_array_index(card->evidence, struct reel_card_evidence, i);
        if (!first->thread || !g_hash_table_add(told, GUINT_TO_POINTER(first->thread)))
            continue;
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *name = g_markup_escape_text(first->thread_name, -1);
        g_string_append_printf(text, "<b>%s</b>", name);
        for (guint k = i; k < card->evidence->len; k++) {
            const struct reel_card_evidence *evidence =
                &g_array_index(card->evidence, struct reel_card_evidence, k);
            if (evidence->thread != first->thread)
                continue;
            char since[REEL_TIME_TEXT];
            g_autofree char *role = g_markup_escape_text(evidence->role, -1);
            g_autofree char *place =
                evidence->place ? g_markup_escape_text(evidence->place, -1) : NULL;
            g_string_append_printf(text, "%s %s", k == i ? "" : ",", role);
            if (place)
                g_string_append_printf(text, ": <tt>%s</tt>", place);
            if (evidence->time_ns)
                g_string_append_printf(text, " <span alpha=\"70%%\">since %s</span>",
                                       reel_moment_text(evidence->time_ns, 1000, since));
        }
        GtkWidget *label = add_label(GTK_WIDGET(self->box), NULL, "reel-card-party");
        gtk_label_set_markup(GTK_LABEL(label), text->str);
    }
    g_hash_table_unref(told);
}

static void add_parties(ReelFindingCard *self, const struct reel_finding_card *card)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < card->parties->len && i < 40; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "",
                               g_array_index(card->parties, struct reel_card_party, i).text);
    if (card->parties->len > 40)
        g_string_append_printf(text, ", and %u more", card->parties->len - 40);
    if (text->len)
        add_label(GTK_WIDGET(self->box), text->str, "reel-summary");
}

/* "holding a, b" */
static char *held_text(const struct reel_card_evidence *evidence)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; evidence->held && i < evidence->held->len; i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "holding ",
                               (char *)evidence->held->pdata[i]);
    if (evidence->held && evidence->held->len == 0)
        g_string_append(text, "holding no lock");
    return g_markup_escape_text(text->str, -1);
}

static GtkWidget *evidence_row(const struct reel_card_evidence *evidence)
{
    GtkWidget *row = gtk_list_box_row_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    char moment[REEL_TIME_TEXT];
    g_autofree char *name =
        evidence->thread_name ? g_markup_escape_text(evidence->thread_name, -1) : g_strdup("");
    g_autofree char *role = g_markup_escape_text(evidence->role, -1);
    g_autofree char *held = held_text(evidence);
    g_autofree char *head =
        g_strdup_printf("<b>%s</b> %s %s <span alpha=\"70%%\">%s</span>", name, role, held,
                        evidence->time_ns ? reel_moment_text(evidence->time_ns, 1, moment) : "");
    GtkWidget *label = gtk_label_new(NULL);
    gtk_label_set_markup(GTK_LABEL(label), head);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_box_append(GTK_BOX(box), label);
    GtkWidget *stack = gtk_label_new(evidence->frames  ? evidence->frames
                                     : evidence->stack ? "(the stack cannot be read)"
                                                       : "(no stack was recorded here)");
    gtk_label_set_xalign(GTK_LABEL(stack), 0);
    gtk_label_set_wrap(GTK_LABEL(stack), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(stack), PANGO_WRAP_WORD_CHAR);
    gtk_widget_add_css_class(stack, "reel-stack");
    gtk_box_append(GTK_BOX(box), stack);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_widget_set_tooltip_text(row, "Enter: go to this moment; its source is shown under Source");
    return row;
}

static void fill(ReelFindingCard *self, const struct reel_finding_card *card)
{
    const struct reel_finding *finding = card->finding;
    GtkWidget *box = GTK_WIDGET(self->box);
    GtkWidget *head = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    g_autofree char *title = g_strdup_printf("%s  %s", reel_finding_glyph(finding->kind),
                                             finding->title ? finding->title : "");
    GtkWidget *label = add_label(head, title, "reel-card-title");
    gtk_widget_set_hexpand(label, TRUE);
    GtkWidget *buttons = gtk_flow_box_new(); /* they wrap where the panel is narrow */
    gtk_flow_box_set_selection_mode(GTK_FLOW_BOX(buttons), GTK_SELECTION_NONE);
    gtk_flow_box_set_min_children_per_line(GTK_FLOW_BOX(buttons), 2);
    gtk_flow_box_set_max_children_per_line(GTK_FLOW_BOX(buttons), 4);
    gtk_widget_set_halign(buttons, GTK_ALIGN_START);
    add_button(buttons, self, "_Go", "Go to the moment and the thread", go_to_finding);
    add_button(buttons, self, "_Suppress…", "Do not report this finding again", suppress);
    add_button(buttons, self, "Copy _Text", "Copy as text, with the stacks", copy_text);
    add_button(buttons, self, "Copy _Markdown", "Copy for a pull request or an issue",
               copy_markdown);
    gtk_box_append(GTK_BOX(box), head);
    gtk_box_append(GTK_BOX(box), buttons);
    g_autofree char *often =
        finding->occurrences > 1
            ? g_strdup_printf(" · seen %'" G_GUINT64_FORMAT " times", (guint64)finding->occurrences)
            : g_strdup("");
    g_autofree char *facts = g_strdup_printf(
        "%s · %s, %s · %s%s", finding->id, reel_severity_name(finding->severity),
        reel_confidence_name(finding->confidence), reel_finding_kind_meaning(finding->kind), often);
    add_label(box, facts, finding->severity == REEL_SEVERITY_ERROR ? "reel-error" : "reel-summary");
    if (finding->kind == REEL_FINDING_DEADLOCK)
        add_ring(self, card);
    add_label(box, finding->explanation, NULL);
    if (card->common_locks)
        add_label(box, card->common_locks, "reel-card-party");
    add_label(box, "To mend it", "reel-card-heading");
    add_label(box, finding->fix, NULL);
    add_label(box, "Who takes part", "reel-card-heading");
    add_parties(self, card);
    if (card->evidence->len == 0)
        return;
    add_label(box, "Evidence", "reel-card-heading");
    GtkWidget *list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "reel-evidence");
    gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, "Evidence",
                                   -1);
    for (guint i = 0; i < card->evidence->len && i < 200; i++)
        gtk_list_box_append(GTK_LIST_BOX(list), evidence_row(&g_array_index(
                                                    card->evidence, struct reel_card_evidence, i)));
    g_signal_connect_object(list, "row-activated", G_CALLBACK(go_to_evidence), self, 0);
    gtk_box_append(GTK_BOX(box), list);
}

void reel_finding_card_show(ReelFindingCard *self, struct reel_finding_cards *cards, guint index)
{
    struct reel_finding_cards *before = self->cards;
    const struct reel_finding_card *old = shown(self), *new = NULL;
    if (cards && index < cards->card->len)
        new = cards->card->pdata[index];
    gboolean is_same = old && new &&g_strcmp0(old->finding->id, new->finding->id) == 0;
    gboolean says_the_same = is_same && g_str_equal(old->text, new->text);
    self->cards = new ? reel_finding_cards_ref(cards) : NULL;
    self->index = index;
    if (!says_the_same) {
        GtkWidget *child;
        while ((child = gtk_widget_get_first_child(GTK_WIDGET(self->box))))
            gtk_box_remove(self->box, child);
        if (new)
            fill(self, new);
    }
    if (!is_same)
        gtk_adjustment_set_value(
            gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(self->scrolled)), 0);
    g_clear_pointer(&before, reel_finding_cards_unref);
}

static void reel_finding_card_dispose(GObject *object)
{
    ReelFindingCard *self = REEL_FINDING_CARD(object);
    g_clear_pointer(&self->cards, reel_finding_cards_unref);
    g_clear_pointer(&self->scrolled, gtk_widget_unparent);
    G_OBJECT_CLASS(reel_finding_card_parent_class)->dispose(object);
}

static void reel_finding_card_class_init(ReelFindingCardClass *class)
{
    G_OBJECT_CLASS(class)->dispose = reel_finding_card_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(class), GTK_TYPE_BIN_LAYOUT);
    go_signal = g_signal_new("go", REEL_TYPE_FINDING_CARD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                             G_TYPE_NONE, 4, G_TYPE_UINT64, G_TYPE_UINT, G_TYPE_UINT, G_TYPE_UINT);
}

static void reel_finding_card_init(ReelFindingCard *self)
{
    self->box = GTK_BOX(gtk_box_new(GTK_ORIENTATION_VERTICAL, 4));
    gtk_widget_add_css_class(GTK_WIDGET(self->box), "reel-card");
    self->scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(self->scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(self->scrolled), GTK_WIDGET(self->box));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->scrolled), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   "The finding in full", -1);
    gtk_widget_set_parent(self->scrolled, GTK_WIDGET(self));
}

GtkWidget *reel_finding_card_new(void)
{
    return g_object_new(REEL_TYPE_FINDING_CARD, NULL);
}
