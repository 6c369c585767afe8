#include "tracer/detect/socket_pairs.h"

#include <glib.h>

#include "probes/event/address.h"

/* The end that a thread told of last: its other end follows at once. */
struct opened {
    uint32_t object, descriptor;
    int64_t peer;
};

/* A client's address; and, for the thread that accepted it, the descriptor that OPEN tells next. */
struct address {
    uint64_t word[REEL_ADDRESS_WORDS]; /* the first: the port alone */
    uint32_t descriptor;
};

struct reel_socket_pairs {
    GHashTable *peer;      /* object → object */
    GHashTable *opened;    /* thread → struct opened */
    GHashTable *accepting; /* thread → struct address, between END and OPEN */
    /* struct address → object; those whose other end is not known yet, and may never be */
    GHashTable *connected, *accepted;
};

static guint hash_address(const void *key)
{
    const struct address *address = key;
    uint64_t mixed = address->word[0] * 0x9e3779b97f4a7c15ull ^ address->word[1] ^
                     address->word[2] * 0xff51afd7ed558ccdull;
    return (guint)(mixed >> 32 ^ mixed);
}

static gboolean equal_addresses(const void *left, const void *right)
{
    const struct address *a = left, *b = right;
    return a->word[0] == b->word[0] && a->word[1] == b->word[1] && a->word[2] == b->word[2];
}

struct reel_socket_pairs *reel_socket_pairs_new(void)
{
    struct reel_socket_pairs *pairs = g_new0(struct reel_socket_pairs, 1);
    pairs->peer = g_hash_table_new(NULL, NULL);
    pairs->opened = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    pairs->accepting = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    pairs->connected = g_hash_table_new_full(hash_address, equal_addresses, g_free, NULL);
    pairs->accepted = g_hash_table_new_full(hash_address, equal_addresses, g_free, NULL);
    return pairs;
}

void reel_socket_pairs_free(struct reel_socket_pairs *pairs)
{
    if (!pairs)
        return;
    g_hash_table_unref(pairs->peer);
    g_hash_table_unref(pairs->opened);
    g_hash_table_unref(pairs->accepting);
    g_hash_table_unref(pairs->connected);
    g_hash_table_unref(pairs->accepted);
    g_free(pairs);
}

static uint32_t join(struct reel_socket_pairs *pairs, uint32_t one, uint32_t other)
{
    g_hash_table_insert(pairs->peer, GUINT_TO_POINTER(one), GUINT_TO_POINTER(other));
    g_hash_table_insert(pairs->peer, GUINT_TO_POINTER(other), GUINT_TO_POINTER(one));
    return other;
}

/* One end of a connection: is the other waiting among `others`? Else it waits for that one. A port
 * is used again when its connection is over: the newest end is the one that counts. */
static uint32_t meet(struct reel_socket_pairs *pairs, const struct address *address,
                     uint32_t object, GHashTable *others, GHashTable *mine)
{
    uint32_t other = GPOINTER_TO_UINT(g_hash_table_lookup(others, address));
    if (other && other != object) {
        g_hash_table_remove(others, address);
        return join(pairs, object, other);
    }
    g_hash_table_replace(mine, g_memdup2(address, sizeof *address), GUINT_TO_POINTER(object));
    return 0;
}

static uint32_t call_ends(struct reel_socket_pairs *pairs, const struct reel_event *event,
                          uint32_t object)
{
    if (event->extra_words < REEL_ADDRESS_WORDS)
        return 0;
    struct address address = {
        {event->extra[0] & REEL_ADDRESS_PORT, event->extra[1], event->extra[2]}, event->argument};
    if (event->extra[0] & REEL_ADDRESS_OWN)
        return meet(pairs, &address, object, pairs->accepted, pairs->connected);
    if (event->extra[0] & REEL_ADDRESS_PEER)
        g_hash_table_insert(pairs->accepting, GUINT_TO_POINTER(event->thread),
                            g_memdup2(&address, sizeof address));
    return 0;
}

static uint32_t opens(struct reel_socket_pairs *pairs, const struct reel_event *event,
                      uint32_t object)
{
    void *thread = GUINT_TO_POINTER(event->thread);
    const struct address *client = g_hash_table_lookup(pairs->accepting, thread);
    if (client) {
        bool is_it = client->descriptor == event->argument;
        uint32_t other = is_it ? meet(pairs, client, object, pairs->connected, pairs->accepted) : 0;
        g_hash_table_remove(pairs->accepting, thread);
        if (is_it)
            return other;
    }
    if (!event->extra_words || (int64_t)event->extra[0] < 0)
        return 0;
    const struct opened *first = g_hash_table_lookup(pairs->opened, thread);
    if (first && first->peer == event->argument && (int64_t)event->extra[0] == first->descriptor &&
        first->object != object) {
        uint32_t other = first->object;
        g_hash_table_remove(pairs->opened, thread);
        return join(pairs, object, other);
    }
    struct opened *opened = g_new(struct opened, 1);
    *opened = (struct opened){object, event->argument, (int64_t)event->extra[0]};
    g_hash_table_insert(pairs->opened, thread, opened);
    return 0;
}

uint32_t reel_socket_pairs_event(struct reel_socket_pairs *pairs, const struct reel_event *event,
                                 uint32_t object)
{
    if (event->class != REEL_CLASS_SOCKET || !object)
        return 0;
    return event->operation == REEL_OP_OPEN  ? opens(pairs, event, object)
           : event->operation == REEL_OP_END ? call_ends(pairs, event, object)
                                             : 0;
}

uint32_t reel_socket_pairs_peer(const struct reel_socket_pairs *pairs, uint32_t object)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(pairs->peer, GUINT_TO_POINTER(object)));
}
