#include "viewer/lane_list.h"

#include <string.h>

#include "viewer/draw/scene.h"

struct _ReelLaneList {
    GObject parent_instance;
    ReelDocument *document;
    ReelViewFile *file;
    struct reel_layout_lane *lane;
    guint count;
    struct reel_lane_layout layout;
    GHashTable *threads, *objects; /* of the filter; NULL: all */
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE(ReelLaneList, reel_lane_list, G_TYPE_OBJECT)

static char *key_of(const struct reel_lane *lane)
{
    static const char *const kinds[] = {"process", "group", "thread", "spans",
                                        "lock",    "queue", "loop",   "task"};
    return lane->kind == REEL_LANE_GROUP
               ? g_strdup_printf("group:%.*s", (int)strcspn(lane->name, ":"), lane->name)
               : g_strdup_printf("%s:%u", kinds[lane->kind], lane->id);
}

static gboolean passes(ReelLaneList *self, const struct reel_lane *lane)
{
    if (!self->threads)
        return TRUE;
    gboolean of_thread = lane->kind == REEL_LANE_THREAD || lane->kind == REEL_LANE_SPANS;
    return g_hash_table_contains(of_thread ? self->threads : self->objects,
                                 GUINT_TO_POINTER(lane->id));
}

static void arrange(ReelLaneList *self)
{
    for (guint i = 0; i < self->count; i++) {
        const struct reel_lane *lane = reel_document_lane(self->document, i);
        self->lane[i].filtered = lane->heading != G_MAXUINT && !passes(self, lane);
    }
    reel_lane_layout_arrange(&self->layout, self->lane, self->count);
    g_signal_emit(self, changed_signal, 0);
}

static void keep(ReelLaneList *self, guint index)
{
    if (!self->file)
        return;
    const struct reel_layout_lane *lane = &self->lane[index];
    const struct reel_lane *of = reel_document_lane(self->document, index);
    g_autofree char *key = key_of(of);
    reel_view_file_set_lane(self->file, key, "collapsed", lane->collapsed);
    reel_view_file_set_lane(self->file, key, "hidden", lane->hidden && !of->is_spare);
    reel_view_file_set_lane(self->file, key, "shown", !lane->hidden && of->is_spare);
    reel_view_file_set_lane(self->file, key, "pinned", lane->pinned);
    reel_view_file_set_lane(self->file, key, "order", lane->order);
}

ReelLaneList *reel_lane_list_new(ReelDocument *document, ReelViewFile *file)
{
    ReelLaneList *self = g_object_new(REEL_TYPE_LANE_LIST, NULL);
    self->document = g_object_ref(document);
    self->file = file ? g_object_ref(file) : NULL;
    self->count = reel_document_lane_count(document);
    self->lane = g_new0(struct reel_layout_lane, self->count + 1);
    for (guint i = 0; i < self->count; i++) {
        const struct reel_lane *lane = reel_document_lane(document, i);
        struct reel_layout_lane *entry = &self->lane[i];
        entry->heading = lane->heading == G_MAXUINT ? REEL_NO_LANE : lane->heading;
        entry->height = reel_scene_lane_height(lane);
        entry->hidden = lane->is_spare;
        if (!file)
            continue;
        g_autofree char *key = key_of(lane);
        entry->collapsed = reel_view_file_lane(file, key, "collapsed") != 0;
        entry->hidden = lane->is_spare ? reel_view_file_lane(file, key, "shown") == 0
                                       : reel_view_file_lane(file, key, "hidden") != 0;
        entry->pinned = lane->heading != G_MAXUINT && reel_view_file_lane(file, key, "pinned") != 0;
        entry->order = reel_view_file_lane(file, key, "order");
    }
    arrange(self);
    return self;
}

const struct reel_lane_layout *reel_lane_list_layout(ReelLaneList *self)
{
    return &self->layout;
}

void reel_lane_list_toggle_collapsed(ReelLaneList *self, guint lane)
{
    if (lane >= self->count)
        return;
    if (self->lane[lane].heading != REEL_NO_LANE)
        lane = self->lane[lane].heading;
    self->lane[lane].collapsed = !self->lane[lane].collapsed;
    keep(self, lane);
    arrange(self);
}

void reel_lane_list_toggle_pinned(ReelLaneList *self, guint lane)
{
    if (lane >= self->count || self->lane[lane].heading == REEL_NO_LANE)
        return;
    self->lane[lane].pinned = !self->lane[lane].pinned;
    keep(self, lane);
    arrange(self);
}

void reel_lane_list_hide(ReelLaneList *self, guint lane)
{
    if (lane >= self->count)
        return;
    self->lane[lane].hidden = true;
    self->lane[lane].pinned = false;
    keep(self, lane);
    arrange(self);
}

void reel_lane_list_show_hidden(ReelLaneList *self)
{
    for (guint i = 0; i < self->count; i++)
        if (self->lane[i].hidden) {
            self->lane[i].hidden = false;
            keep(self, i);
        }
    arrange(self);
}

/* Nothing but waiting for work, apart from coming and going. */
static gboolean is_idle(const struct reel_lane *lane)
{
    uint64_t busy = 0, all = 0;
    for (size_t i = 0; i < lane->data.count; i++) {
        if (lane->data.state[i] == REEL_LANE_NOTHING)
            continue;
        uint64_t length = lane->data.start[i + 1] - lane->data.start[i];
        enum reel_state_role role = reel_state_role(lane->data.state[i]);
        all += length;
        if (role == REEL_STATE_ROLE_LOCK || role == REEL_STATE_ROLE_GIL ||
            role == REEL_STATE_ROLE_GAP)
            return FALSE;
        if (role == REEL_STATE_ROLE_RUNNING || role == REEL_STATE_ROLE_CALLBACK)
            busy += length;
    }
    return busy * 100 < all;
}

void reel_lane_list_hide_idle(ReelLaneList *self)
{
    for (guint i = 0; i < self->count; i++) {
        const struct reel_lane *lane = reel_document_lane(self->document, i);
        if (lane->kind == REEL_LANE_THREAD && is_idle(lane)) {
            self->lane[i].hidden = true;
            keep(self, i);
        }
    }
    arrange(self);
}

struct sibling {
    int32_t order;
    guint lane;
};

static int compare_siblings(gconstpointer a, gconstpointer b)
{
    const struct sibling *left = a, *right = b;
    if (left->order != right->order)
        return left->order < right->order ? -1 : 1;
    return left->lane < right->lane ? -1 : left->lane > right->lane;
}

void reel_lane_list_move(ReelLaneList *self, guint lane, int by)
{
    if (lane >= self->count)
        return;
    g_autoptr(GArray) siblings = g_array_new(FALSE, FALSE, sizeof(struct sibling));
    for (guint i = 0; i < self->count; i++)
        if (self->lane[i].heading == self->lane[lane].heading) {
            struct sibling sibling = {self->lane[i].order, i};
            g_array_append_val(siblings, sibling);
        }
    g_array_sort(siblings, compare_siblings);
    guint at = 0;
    while (g_array_index(siblings, struct sibling, at).lane != lane)
        at++;
    if ((by < 0 && at == 0) || (by > 0 && at + 1 == siblings->len))
        return;
    guint other = at + (by < 0 ? -1u : 1u);
    struct sibling moved = g_array_index(siblings, struct sibling, at);
    g_array_index(siblings, struct sibling, at) = g_array_index(siblings, struct sibling, other);
    g_array_index(siblings, struct sibling, other) = moved;
    for (guint i = 0; i < siblings->len; i++) {
        guint index = g_array_index(siblings, struct sibling, i).lane;
        self->lane[index].order = (int32_t)i + 1;
        keep(self, index);
    }
    arrange(self);
}

void reel_lane_list_reveal(ReelLaneList *self, guint lane)
{
    if (lane >= self->count || reel_lane_layout_row_of(&self->layout, lane) < self->layout.count)
        return;
    guint heading = self->lane[lane].heading;
    self->lane[lane].hidden = false;
    keep(self, lane);
    if (heading != REEL_NO_LANE) {
        self->lane[heading].collapsed = self->lane[heading].hidden = false;
        keep(self, heading);
    }
    arrange(self);
}

void reel_lane_list_set_filter(ReelLaneList *self, GHashTable *threads, GHashTable *objects)
{
    g_clear_pointer(&self->threads, g_hash_table_unref);
    g_clear_pointer(&self->objects, g_hash_table_unref);
    self->threads = threads ? g_hash_table_ref(threads) : NULL;
    self->objects = objects ? g_hash_table_ref(objects) : NULL;
    arrange(self);
}

guint reel_lane_list_neighbour(ReelLaneList *self, guint lane, int by)
{
    const struct reel_lane_layout *layout = &self->layout;
    if (layout->count == 0)
        return G_MAXUINT;
    uint32_t row = lane == G_MAXUINT ? layout->count : reel_lane_layout_row_of(layout, lane);
    if (row == layout->count)
        return layout->row[0].lane;
    if ((by < 0 && row == 0) || (by > 0 && row + 1 == layout->count))
        return lane;
    return layout->row[by < 0 ? row - 1 : row + 1].lane;
}

static void reel_lane_list_finalize(GObject *object)
{
    ReelLaneList *self = REEL_LANE_LIST(object);
    reel_lane_list_set_filter(self, NULL, NULL);
    reel_lane_layout_clear(&self->layout);
    g_free(self->lane);
    g_clear_object(&self->document);
    g_clear_object(&self->file);
    G_OBJECT_CLASS(reel_lane_list_parent_class)->finalize(object);
}

static void reel_lane_list_class_init(ReelLaneListClass *class)
{
    G_OBJECT_CLASS(class)->finalize = reel_lane_list_finalize;
    changed_signal = g_signal_new("changed", REEL_TYPE_LANE_LIST, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                  NULL, G_TYPE_NONE, 0);
}

static void reel_lane_list_init(ReelLaneList *self)
{
    (void)self;
}
