#include "tracer/detect/socket_pairs.h"

#include <glib.h>

/* The end that a thread told of last: its other end follows at once. */
struct opened {
    uint32_t object, descriptor;
    int64_t peer;
};

struct reel_socket_pairs {
    GHashTable *peer;   /* object → object */
    GHashTable *opened; /* thread → struct opened */
};

struct reel_socket_pairs *reel_socket_pairs_new(void)
{
    struct reel_socket_pairs *pairs = g_new0(struct reel_socket_pairs, 1);
    pairs->peer = g_hash_table_new(NULL, NULL);
    pairs->opened = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return pairs;
}

void reel_socket_pairs_free(struct reel_socket_pairs *pairs)
{
    if (!pairs)
        return;
    g_hash_table_unref(pairs->peer);
    g_hash_table_unref(pairs->opened);
    g_free(pairs);
}

void reel_socket_pairs_event(struct reel_socket_pairs *pairs, const struct reel_event *event,
                             uint32_t object)
{
    if (event->operation != REEL_OP_OPEN || event->class != REEL_CLASS_SOCKET || !object ||
        !event->extra_words || (int64_t)event->extra[0] < 0)
        return;
    const struct opened *first =
        g_hash_table_lookup(pairs->opened, GUINT_TO_POINTER(event->thread));
    if (first && first->peer == event->argument && (int64_t)event->extra[0] == first->descriptor &&
        first->object != object) {
        g_hash_table_insert(pairs->peer, GUINT_TO_POINTER(object), GUINT_TO_POINTER(first->object));
        g_hash_table_insert(pairs->peer, GUINT_TO_POINTER(first->object), GUINT_TO_POINTER(object));
        g_hash_table_remove(pairs->opened, GUINT_TO_POINTER(event->thread));
        return;
    }
    struct opened *opened = g_new(struct opened, 1);
    *opened = (struct opened){object, event->argument, (int64_t)event->extra[0]};
    g_hash_table_insert(pairs->opened, GUINT_TO_POINTER(event->thread), opened);
}

uint32_t reel_socket_pairs_peer(const struct reel_socket_pairs *pairs, uint32_t object)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(pairs->peer, GUINT_TO_POINTER(object)));
}
