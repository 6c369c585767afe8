/* Texts that repeat in rows (states, calls): each is kept once, so that a row can wait in a buffer
 * after its caller's text is gone. */
#ifndef REEL_STORE_TEXT_POOL_H
#define REEL_STORE_TEXT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define REEL_TEXT_LIMIT 255u /* bytes; longer texts are cut, at a character's start */

struct reel_text {
    uint32_t hash;
    uint32_t bytes;
    char data[]; /* bytes, then 0 */
};

struct reel_text_pool {
    struct reel_text **slots; /* open addressing, at most half full */
    uint32_t count, mask;
};

bool reel_text_pool_init(struct reel_text_pool *pool);
void reel_text_pool_clear(struct reel_text_pool *pool);
/* The pooled copy, valid until the pool is cleared. NULL: out of memory. */
const struct reel_text *reel_text_pool_find(struct reel_text_pool *pool, const char *text);

#endif
