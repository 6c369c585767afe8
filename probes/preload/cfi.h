/* Call-frame information: from a code address to how its frame is left.
 *
 * Reads .eh_frame through its binary search table, found by _dl_find_object (glibc 2.35: lock-free
 * and async-signal-safe, no allocation, no system call), and runs the table's little programs
 * (DWARF 5, section 6.4; Linux Standard Base, .eh_frame) as far as x86-64 code needs them: where
 * the canonical frame address is, and where the caller's frame pointer was saved. */
#ifndef REEL_PRELOAD_CFI_H
#define REEL_PRELOAD_CFI_H

#include <stdbool.h>
#include <stdint.h>

enum reel_cfi_base {
    REEL_CFI_STOP = 0,      /* the outermost frame, or no way to go on */
    REEL_CFI_STACK_POINTER, /* CFA = stack pointer + cfa_offset */
    REEL_CFI_FRAME_POINTER, /* CFA = frame pointer + cfa_offset */
    REEL_CFI_SAVED_POINTER, /* CFA = the word at frame pointer + cfa_offset (realigned stacks) */
    REEL_CFI_SIGNAL,        /* the kernel's signal frame: registers are in a ucontext_t */
};

#define REEL_CFI_SAVED_AT_POINTER INT16_MIN

struct reel_cfi_rule {
    int32_t cfa_offset;   /* bytes */
    int16_t saved_offset; /* caller's frame pointer: words from the CFA; 0: still in the register;
                             REEL_CFI_SAVED_AT_POINTER: where the frame pointer points */
    uint8_t base;         /* enum reel_cfi_base */
};

/* Finds the rule for the instruction at `pc`. STOP when there is none. */
void reel_cfi_find(uint64_t pc, struct reel_cfi_rule *rule) __attribute__((visibility("hidden")));

#endif
