#include "tracer/store/domain.h"

#include "probes/event/region.h"

#include <stdlib.h>
#include <string.h>

enum { first_index = 8192 };

bool reel_domains_init(struct reel_domains *domains)
{
    *domains = (struct reel_domains){
        .count = 1 + REEL_STRIPES, .capacity = 4 * REEL_STRIPES, .mask = first_index - 1};
    domains->state = calloc(domains->capacity, sizeof *domains->state);
    domains->index = calloc(first_index, sizeof *domains->index);
    if (domains->state && domains->index)
        return true;
    reel_domains_clear(domains);
    return false;
}

void reel_domains_clear(struct reel_domains *domains)
{
    free(domains->state);
    free(domains->index);
    *domains = (struct reel_domains){0};
}

/* Where the key is, or would be put. */
static struct reel_domain_entry *slot_of(struct reel_domain_entry *index, uint32_t mask,
                                         uint64_t key)
{
    uint32_t at = (uint32_t)(REEL_SEQUENCE_HASH(key) >> 32);
    while (index[at & mask].number && index[at & mask].key != key)
        at++;
    return &index[at & mask];
}

static bool grow_index(struct reel_domains *domains)
{
    uint32_t mask = 2 * domains->mask + 1;
    struct reel_domain_entry *index = calloc((size_t)mask + 1, sizeof *index);
    if (!index)
        return false;
    for (uint32_t i = 0; i <= domains->mask; i++)
        if (domains->index[i].number)
            *slot_of(index, mask, domains->index[i].key) = domains->index[i];
    free(domains->index);
    domains->index = index;
    domains->mask = mask;
    return true;
}

static bool grow_state(struct reel_domains *domains)
{
    struct reel_domain *state =
        realloc(domains->state, 2 * (size_t)domains->capacity * sizeof *state);
    if (!state)
        return false;
    memset(state + domains->capacity, 0, domains->capacity * sizeof *state);
    domains->state = state;
    domains->capacity *= 2;
    return true;
}

uint32_t reel_domains_find(struct reel_domains *domains, uint32_t process,
                           struct reel_chunk_site *site)
{
    if (site->domain)
        return site->domain;
    /* The probe's own key, to the bit: it decides the stripe. */
    uint64_t image =
        site->flags & REEL_FLAG_SHARED_OBJECT ? REEL_SEQUENCE_SHARED : REEL_SEQUENCE_IMAGE(process);
    uint64_t key = image << 48 | (site->object & 0xffffffffffffu);
    if (site->flags & REEL_FLAG_STRIPED)
        return site->domain = 1 + (uint32_t)(REEL_SEQUENCE_HASH(key) >> 52 & (REEL_STRIPES - 1));
    struct reel_domain_entry *slot = slot_of(domains->index, domains->mask, key);
    if (!slot->number) {
        if (domains->count == domains->capacity && !grow_state(domains))
            return 0;
        if (domains->count - REEL_STRIPES > domains->mask / 2) {
            if (!grow_index(domains))
                return 0;
            slot = slot_of(domains->index, domains->mask, key);
        }
        *slot = (struct reel_domain_entry){.key = key, .number = domains->count++};
    }
    return site->domain = slot->number;
}
