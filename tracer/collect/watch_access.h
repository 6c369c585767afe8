/* What an instruction does to memory, as far as a debug register does not tell: it stops behind the
 * access and says nothing of atomicity. */
#ifndef REEL_COLLECT_WATCH_ACCESS_H
#define REEL_COLLECT_WATCH_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REEL_INSTRUCTION_BYTES 15u /* the longest of x86-64 */

/* Do the bytes before `code + count` end with an instruction that reads and writes memory in one
 * step (a lock prefix, or an exchange)? `code` holds what lies before the address at which a
 * debug register stopped. False elsewhere than on x86-64. */
bool reel_watch_is_atomic(const uint8_t *code, size_t count);

/* Do these bytes end with a call? Then what comes behind them may be a return address; a walk along
 * frame pointers through code that keeps none finds others too. True elsewhere than on x86-64. */
bool reel_watch_is_behind_call(const uint8_t *code, size_t count);

#endif
