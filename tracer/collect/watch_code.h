/* The code behind which accesses happened. A short program is gone before its accesses are looked
 * at: then the files that were mapped tell what the code was. Of no thread's but the collector's.
 */
#ifndef REEL_COLLECT_WATCH_CODE_H
#define REEL_COLLECT_WATCH_CODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tracer/collect/watch_access.h"

struct reel_watch_code;

struct reel_watch_code *reel_watch_code_new(void);
void reel_watch_code_free(struct reel_watch_code *code);

/* Notes what that process has mapped, while it is there. */
void reel_watch_code_map(struct reel_watch_code *code, pid_t pid);

/* The REEL_INSTRUCTION_BYTES bytes before `address`, and what they end with. */
struct reel_watch_code_bytes {
    bool known, is_atomic, is_call;
    uint8_t bytes[REEL_INSTRUCTION_BYTES];
};
struct reel_watch_code_bytes reel_watch_code_before(struct reel_watch_code *code, pid_t pid,
                                                    uint64_t address);

#endif
