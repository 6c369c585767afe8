#include "viewer/panel/event_list.h"

#include "viewer/panel/event_query.h"
#include "viewer/panel/row.h"

#define PAGES_MOST  48u /* in memory */
#define WANTED_MOST 16u /* pages that are waited for; older wishes are given up */

enum { SLOT_INDEX = 1, SLOT_ROWS, SLOT_PLACE };

struct page {
    ReelRow *row[REEL_EVENT_PAGE];
    guint number, count;
    gboolean is_filled;
    GList link; /* in `recent` */
};

struct _ReelEventList {
    GObject parent_instance;
    struct reel_query_service *service; /* for rows and places */
    struct reel_query_service *indexer; /* its own: the index takes long, rows must not wait */
    char *filter;
    uint64_t end_ns;
    guint count;
    gboolean is_complete, is_exact;
    GArray *first, *exact; /* uint64_t: see struct reel_event_index */
    GHashTable *pages;     /* number → struct page */
    GQueue recent;         /* struct page, the newest first */
    GArray *wanted;        /* guint: page numbers, the newest last */
    gboolean is_asking;
    guint place_page; /* of the place that is asked for */
};

enum { SIGNAL_TOLD, SIGNAL_PLACED, SIGNAL_COUNT };
static guint signals[SIGNAL_COUNT];

static void reel_event_list_model(GListModelInterface *interface);
G_DEFINE_FINAL_TYPE_WITH_CODE(ReelEventList, reel_event_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, reel_event_list_model))

static void page_free(gpointer data)
{
    struct page *page = data;
    for (guint i = 0; i < page->count; i++)
        g_object_unref(page->row[i]);
    g_free(page);
}

static GType get_item_type(GListModel *model)
{
    (void)model;
    return REEL_TYPE_ROW;
}

static guint get_n_items(GListModel *model)
{
    return REEL_EVENT_LIST(model)->count;
}

static uint64_t first_of(ReelEventList *self, guint page)
{
    return page < self->first->len ? g_array_index(self->first, uint64_t, page) : UINT64_MAX;
}

static void ask_next(ReelEventList *self);

static void rows_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelEventList *self = owner;
    struct reel_event_rows *rows = answer;
    self->is_asking = FALSE;
    struct page *page =
        error ? NULL : g_hash_table_lookup(self->pages, GUINT_TO_POINTER(rows->page));
    if (page && !page->is_filled) {
        page->is_filled = TRUE;
        for (guint i = 0; i < page->count && i < rows->rows->len; i++)
            reel_row_fill(page->row[i], rows->rows->pdata[i]);
    }
    ask_next(self);
}

/* The page wished for last, if it is still in memory. */
static void ask_next(ReelEventList *self)
{
    while (!self->is_asking && self->wanted->len) {
        guint number = g_array_index(self->wanted, guint, self->wanted->len - 1);
        g_array_set_size(self->wanted, self->wanted->len - 1);
        struct page *page = g_hash_table_lookup(self->pages, GUINT_TO_POINTER(number));
        if (!page || page->is_filled)
            continue;
        struct reel_event_request *request = reel_event_request_new(self->filter, self->end_ns);
        request->page = number;
        request->from_ns = first_of(self, number);
        request->to_ns = first_of(self, number + 1);
        if (number * REEL_EVENT_PAGE + page->count <= self->exact->len) {
            request->times = g_array_new(FALSE, FALSE, sizeof(uint64_t));
            g_array_append_vals(request->times,
                                &g_array_index(self->exact, uint64_t, number * REEL_EVENT_PAGE),
                                page->count);
        }
        const struct reel_query_job job = {
            .run = reel_event_rows_read,
            .answered = rows_answered,
            .owner = self,
            .request = request,
            .free_request = reel_event_request_free,
            .free_answer = reel_event_rows_free,
        };
        self->is_asking = TRUE;
        reel_query_service_ask(self->service, SLOT_ROWS, &job);
    }
}

static void want(ReelEventList *self, guint number)
{
    if (self->wanted->len == WANTED_MOST)
        g_array_remove_index(self->wanted, 0);
    g_array_append_val(self->wanted, number);
    ask_next(self);
}

static struct page *page_at(ReelEventList *self, guint number)
{
    struct page *page = g_hash_table_lookup(self->pages, GUINT_TO_POINTER(number));
    if (page) {
        g_queue_unlink(&self->recent, &page->link);
        g_queue_push_head_link(&self->recent, &page->link);
        return page;
    }
    page = g_new0(struct page, 1);
    page->number = number;
    page->count = MIN(REEL_EVENT_PAGE, self->count - number * REEL_EVENT_PAGE);
    page->link.data = page;
    for (guint i = 0; i < page->count; i++)
        page->row[i] = reel_row_new_empty();
    g_hash_table_insert(self->pages, GUINT_TO_POINTER(number), page);
    g_queue_push_head_link(&self->recent, &page->link);
    while (self->recent.length > PAGES_MOST) {
        struct page *oldest = g_queue_peek_tail(&self->recent);
        g_queue_unlink(&self->recent, &oldest->link);
        g_hash_table_remove(self->pages, GUINT_TO_POINTER(oldest->number));
    }
    want(self, number);
    return page;
}

static gpointer get_item(GListModel *model, guint position)
{
    ReelEventList *self = REEL_EVENT_LIST(model);
    if (position >= self->count)
        return NULL;
    struct page *page = page_at(self, position / REEL_EVENT_PAGE);
    guint index = position % REEL_EVENT_PAGE;
    return index < page->count ? g_object_ref(page->row[index]) : NULL;
}

static void reel_event_list_model(GListModelInterface *interface)
{
    interface->get_item_type = get_item_type;
    interface->get_n_items = get_n_items;
    interface->get_item = get_item;
}

static void index_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelEventList *self = owner;
    const struct reel_event_index *index = answer;
    if (error) {
        self->is_complete = TRUE;
        g_autofree char *text =
            g_strdup_printf("%s%s%s", error->message, *error->hint ? "\n" : "", error->hint);
        g_signal_emit(self, signals[SIGNAL_TOLD], 0, text);
        return;
    }
    guint before = self->count;
    g_array_append_vals(self->first, index->first->data, index->first->len);
    g_array_append_vals(self->exact, index->exact->data, index->exact->len);
    self->is_complete = index->is_last;
    self->is_exact = index->is_exact;
    self->count = (guint)MIN(index->count, (guint64)G_MAXINT);
    g_list_model_items_changed(G_LIST_MODEL(self), before, 0, self->count - before);
    g_signal_emit(self, signals[SIGNAL_TOLD], 0, NULL);
}

/* The last entry at or before `ns`; G_MAXUINT: there is none. */
static guint last_until(const GArray *times, uint64_t ns)
{
    guint low = 0, high = times->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(times, uint64_t, middle) <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : G_MAXUINT;
}

static void place_answered(gpointer owner, gpointer answer, const struct reel_error *error)
{
    ReelEventList *self = owner;
    if (error)
        return;
    guint64 count = *(guint64 *)answer;
    guint position = self->place_page * REEL_EVENT_PAGE + (guint)(count ? count - 1 : 0);
    g_signal_emit(self, signals[SIGNAL_PLACED], 0, position);
}

void reel_event_list_find(ReelEventList *self, uint64_t ns)
{
    if (self->is_exact) {
        guint at = last_until(self->exact, ns);
        if (self->exact->len)
            g_signal_emit(self, signals[SIGNAL_PLACED], 0, at == G_MAXUINT ? 0 : at);
        return;
    }
    guint page = last_until(self->first, ns);
    if (page == G_MAXUINT)
        return;
    self->place_page = page;
    struct reel_event_request *request = reel_event_request_new(self->filter, self->end_ns);
    request->from_ns = first_of(self, page);
    request->to_ns = ns;
    const struct reel_query_job job = {
        .run = reel_event_place_read,
        .answered = place_answered,
        .owner = self,
        .request = request,
        .free_request = reel_event_request_free,
        .free_answer = g_free,
    };
    reel_query_service_ask(self->service, SLOT_PLACE, &job);
}

gboolean reel_event_list_is_complete(ReelEventList *self)
{
    return self->is_complete;
}

guint reel_event_list_pages(ReelEventList *self)
{
    return self->recent.length;
}

static void reel_event_list_finalize(GObject *object)
{
    ReelEventList *self = REEL_EVENT_LIST(object);
    reel_query_service_free(self->indexer);
    reel_query_service_free(self->service);
    g_hash_table_unref(self->pages);
    g_array_unref(self->first);
    g_array_unref(self->exact);
    g_array_unref(self->wanted);
    g_free(self->filter);
    G_OBJECT_CLASS(reel_event_list_parent_class)->finalize(object);
}

static void reel_event_list_class_init(ReelEventListClass *class)
{
    G_OBJECT_CLASS(class)->finalize = reel_event_list_finalize;
    signals[SIGNAL_TOLD] = g_signal_new("told", REEL_TYPE_EVENT_LIST, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[SIGNAL_PLACED] = g_signal_new("placed", REEL_TYPE_EVENT_LIST, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void reel_event_list_init(ReelEventList *self)
{
    self->first = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    self->exact = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    self->wanted = g_array_new(FALSE, FALSE, sizeof(guint));
    self->pages = g_hash_table_new_full(NULL, NULL, NULL, page_free);
    g_queue_init(&self->recent);
}

ReelEventList *reel_event_list_new(const char *path, const char *filter, uint64_t end_ns)
{
    ReelEventList *self = g_object_new(REEL_TYPE_EVENT_LIST, NULL);
    self->service = reel_query_service_new(path);
    self->indexer = reel_query_service_new(path);
    self->filter = g_strdup(filter);
    self->end_ns = end_ns;
    const struct reel_query_job job = {
        .run = reel_event_index_read,
        .answered = index_answered,
        .owner = self,
        .request = reel_event_request_new(filter, end_ns),
        .free_request = reel_event_request_free,
        .free_answer = reel_event_index_free,
    };
    reel_query_service_ask(self->indexer, SLOT_INDEX, &job);
    return self;
}
