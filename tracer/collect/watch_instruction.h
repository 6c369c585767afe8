/* The instruction that a debug register stopped behind: does it load, store, or do both in turn?
 * And which register has the value, now that it is over. x86-64 alone; elsewhere nothing is known.
 *
 * Where it begins is not known, and bytes can be read as several instructions. One whose operand is
 * the watched address is it; a load may have overwritten what its address was made of, so without
 * such a one it is the longest reading that comes out even. */
#ifndef REEL_COLLECT_WATCH_INSTRUCTION_H
#define REEL_COLLECT_WATCH_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reel_instruction_kind {
    REEL_INSTRUCTION_UNKNOWN,
    REEL_INSTRUCTION_LOAD,   /* reads memory, once */
    REEL_INSTRUCTION_STORE,  /* writes it, once */
    REEL_INSTRUCTION_UPDATE, /* reads it and writes it */
};

/* Registers by their numbers in instructions: rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15. */
#define REEL_INSTRUCTION_REGISTERS 16u

struct reel_instruction {
    enum reel_instruction_kind kind;
    unsigned size;      /* bytes of memory; 0: not known */
    bool has_register;  /* the value that was loaded or stored is in `number`, */
    bool is_high;       /* its second byte */
    bool has_immediate; /* or it is `immediate` */
    unsigned number;
    uint64_t immediate;
};

/* `code` holds the `count` bytes before `end`; the access was to `address`, and left these
 * `registers` (NULL: not known). */
struct reel_instruction reel_instruction_before(const uint8_t *code, size_t count, uint64_t end,
                                                uint64_t address, const uint64_t *registers);

/* What was loaded or stored, of the registers after it. False: not to be told. */
bool reel_instruction_value(const struct reel_instruction *instruction,
                            const uint64_t registers[REEL_INSTRUCTION_REGISTERS], uint64_t *value);

/* Bytes that ModRM, SIB and displacement take; 0: the operand is a register, or cut off. */
size_t reel_instruction_operand(const uint8_t *at, size_t left);

#endif
