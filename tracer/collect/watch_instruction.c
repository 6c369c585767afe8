/* Opcodes by the tables of Intel's manual (volume 2, appendix A). */
#include "tracer/collect/watch_instruction.h"

#include <string.h>

size_t reel_instruction_operand(const uint8_t *at, size_t left)
{
    if (!left)
        return 0;
    unsigned mode = at[0] >> 6, base = at[0] & 7u;
    if (mode == 3)
        return 0;
    size_t bytes = 1;
    if (base == 4) {
        if (left < 2)
            return 0;
        bytes++;
        if (mode == 0 && (at[1] & 7u) == 5)
            bytes += 4;
    } else if (mode == 0 && base == 5) {
        bytes += 4; /* relative to the instruction */
    }
    return bytes + (mode == 1 ? 1 : mode == 2 ? 4 : 0);
}

struct prefixes {
    bool wide, narrow, repeat, repeat_not, rex, segment;
    unsigned high_register, high_index, high_base; /* 8: of the upper eight */
};

/* Where and what for. */
struct question {
    uint64_t end, address;
    const uint64_t *registers;
};

/* What an opcode is, apart from its operand. */
struct form {
    enum reel_instruction_kind kind;
    unsigned size;
    bool has_register, has_immediate;
    size_t immediate_bytes;
};

static unsigned word_size(const struct prefixes *prefixes)
{
    return prefixes->wide ? 8 : prefixes->narrow ? 2 : 4;
}

static size_t immediate_size(const struct prefixes *prefixes)
{
    return prefixes->narrow && !prefixes->wide ? 2 : 4;
}

/* Those that begin with 0f. */
static struct form form_of_escaped(uint8_t opcode, const struct prefixes *prefixes)
{
    struct form form = {0};
    switch (opcode) {
    case 0xb6: /* movzx, movsx */
    case 0xbe:
        return (struct form){REEL_INSTRUCTION_LOAD, 1, true, false, 0};
    case 0xb7:
    case 0xbf:
        return (struct form){REEL_INSTRUCTION_LOAD, 2, true, false, 0};
    case 0x10: /* movss, movsd */
    case 0x11:
        form.kind = opcode == 0x10 ? REEL_INSTRUCTION_LOAD : REEL_INSTRUCTION_STORE;
        form.size = prefixes->repeat ? 4 : prefixes->repeat_not ? 8 : 16;
        return form;
    case 0x6e: /* movd, movq */
        return (struct form){REEL_INSTRUCTION_LOAD, prefixes->wide ? 8 : 4, false, false, 0};
    case 0x7e:
        form.kind = prefixes->repeat ? REEL_INSTRUCTION_LOAD : REEL_INSTRUCTION_STORE;
        form.size = prefixes->repeat || prefixes->wide ? 8 : 4;
        return form;
    case 0xd6:
        return (struct form){REEL_INSTRUCTION_STORE, 8, false, false, 0};
    case 0xaf: /* imul */
        return (struct form){REEL_INSTRUCTION_LOAD, word_size(prefixes), false, false, 0};
    case 0xb0: /* cmpxchg, xadd */
    case 0xb1:
    case 0xc0:
    case 0xc1:
    case 0xab: /* bts, btr, btc */
    case 0xb3:
    case 0xbb:
        return (struct form){REEL_INSTRUCTION_UPDATE, 0, false, false, 0};
    default:
        if ((opcode & 0xf0u) == 0x40) /* cmov */
            return (struct form){REEL_INSTRUCTION_LOAD, word_size(prefixes), false, false, 0};
        return form;
    }
}

/* add, or, adc, sbb, and, sub, xor, cmp: in all their forms. */
static struct form form_of_arithmetic(uint8_t opcode, const struct prefixes *prefixes)
{
    const bool compares = opcode >= 0x38, to_memory = (opcode & 7u) < 2;
    return (struct form){to_memory && !compares ? REEL_INSTRUCTION_UPDATE : REEL_INSTRUCTION_LOAD,
                         opcode & 1u ? word_size(prefixes) : 1, false, false, 0};
}

/* `selector`: the part of ModRM that tells forms of one opcode apart. */
static struct form form_of(uint8_t opcode, unsigned selector, const struct prefixes *prefixes)
{
    const struct form none = {0};
    const unsigned size = opcode & 1u ? word_size(prefixes) : 1;
    const size_t immediate = opcode & 1u ? immediate_size(prefixes) : 1;
    if (opcode < 0x40)
        return (opcode & 7u) < 4 ? form_of_arithmetic(opcode, prefixes) : none;
    switch (opcode) {
    case 0x88: /* mov */
    case 0x89:
        return (struct form){REEL_INSTRUCTION_STORE, size, true, false, 0};
    case 0x8a:
    case 0x8b:
        return (struct form){REEL_INSTRUCTION_LOAD, size, true, false, 0};
    case 0xc6:
    case 0xc7:
        return selector ? none
                        : (struct form){REEL_INSTRUCTION_STORE, size, false, true, immediate};
    case 0x63: /* movsxd */
        return (struct form){REEL_INSTRUCTION_LOAD, 4, true, false, 0};
    case 0x80:
    case 0x81:
    case 0x83:
        return (struct form){selector == 7 ? REEL_INSTRUCTION_LOAD : REEL_INSTRUCTION_UPDATE, size,
                             false, false, opcode == 0x81 ? immediate : 1};
    case 0x84: /* test */
    case 0x85:
        return (struct form){REEL_INSTRUCTION_LOAD, size, false, false, 0};
    case 0x86: /* xchg */
    case 0x87:
        return (struct form){REEL_INSTRUCTION_UPDATE, size, false, false, 0};
    case 0xf6: /* test; not, neg */
    case 0xf7:
        return selector < 2   ? (struct form){REEL_INSTRUCTION_LOAD, size, false, false, immediate}
               : selector < 4 ? (struct form){REEL_INSTRUCTION_UPDATE, size, false, false, 0}
                              : (struct form){REEL_INSTRUCTION_LOAD, size, false, false, 0};
    case 0xfe: /* inc, dec */
    case 0xff:
        return selector < 2    ? (struct form){REEL_INSTRUCTION_UPDATE, size, false, false, 0}
               : selector == 6 ? (struct form){REEL_INSTRUCTION_LOAD, 8, false, false, 0} /* push */
                               : none;
    case 0xc0: /* shifts */
    case 0xc1:
        return (struct form){REEL_INSTRUCTION_UPDATE, size, false, false, 1};
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return (struct form){REEL_INSTRUCTION_UPDATE, size, false, false, 0};
    default:
        return none;
    }
}

static int64_t signed_at(const uint8_t *at, size_t bytes)
{
    int8_t byte;
    int16_t two;
    int32_t four;
    switch (bytes) {
    case 1:
        memcpy(&byte, at, 1);
        return byte;
    case 2:
        memcpy(&two, at, 2);
        return two;
    default:
        memcpy(&four, at, 4);
        return four;
    }
}

/* The address that an operand means. False: not known, or made of `loaded`, the register that the
 * instruction itself has changed (REEL_INSTRUCTION_REGISTERS: none). */
static bool effective_address(const uint8_t *at, const struct prefixes *prefixes, unsigned loaded,
                              const struct question *question, uint64_t *address)
{
    const unsigned mode = at[0] >> 6, low = at[0] & 7u;
    const uint64_t *registers = question->registers;
    size_t next = 1;
    unsigned base = low + prefixes->high_base;
    bool has_base = true;
    *address = 0;
    if (prefixes->segment)
        return false;
    if (mode == 0 && low == 5) {
        *address = question->end + (uint64_t)signed_at(at + 1, 4);
        return true;
    }
    if (!registers)
        return false;
    if (low == 4) {
        const uint8_t sib = at[next++];
        const unsigned index = (sib >> 3 & 7u) + prefixes->high_index;
        base = (sib & 7u) + prefixes->high_base;
        has_base = mode != 0 || (sib & 7u) != 5;
        if (index == loaded && index != 4)
            return false;
        if (index != 4)
            *address += registers[index] << (sib >> 6);
    }
    if (has_base && base == loaded)
        return false;
    if (has_base)
        *address += registers[base];
    if (mode == 1)
        *address += (uint64_t)signed_at(at + next, 1);
    else if (mode == 2 || !has_base)
        *address += (uint64_t)signed_at(at + next, 4);
    return true;
}

/* Those `count` bytes as one instruction. `certain`: its operand is that very address. */
static bool read_as(const uint8_t *at, size_t count, const struct question *question,
                    struct reel_instruction *read, bool *certain)
{
    struct prefixes prefixes = {0};
    size_t i = 0;
    bool escaped = false;
    for (; i < count; i++) {
        if (at[i] == 0x66)
            prefixes.narrow = true;
        else if (at[i] == 0xf3)
            prefixes.repeat = true;
        else if (at[i] == 0xf2)
            prefixes.repeat_not = true;
        else if (at[i] == 0x64 || at[i] == 0x65)
            prefixes.segment = true;
        else if (at[i] != 0xf0)
            break;
    }
    if (i < count && (at[i] & 0xf0u) == 0x40) {
        prefixes.rex = true;
        prefixes.wide = at[i] & 8u;
        prefixes.high_register = at[i] & 4u ? 8 : 0;
        prefixes.high_index = at[i] & 2u ? 8 : 0;
        prefixes.high_base = at[i] & 1u ? 8 : 0;
        i++;
    }
    if (i < count && at[i] == 0x0f) {
        escaped = true;
        i++;
    }
    if (i + 1 >= count)
        return false;
    const uint8_t opcode = at[i++], modrm = at[i];
    const unsigned selector = modrm >> 3 & 7u;
    const struct form form =
        escaped ? form_of_escaped(opcode, &prefixes) : form_of(opcode, selector, &prefixes);
    const size_t operand = reel_instruction_operand(at + i, count - i);
    if (!form.kind || !operand || i + operand + form.immediate_bytes != count)
        return false;
    const bool one_byte = form.size == 1 && !escaped && !prefixes.rex;
    *read = (struct reel_instruction){
        .kind = form.kind,
        .size = form.size,
        .has_register = form.has_register,
        .has_immediate = form.has_immediate,
        .number = selector + prefixes.high_register,
    };
    if (form.has_register && one_byte && selector >= 4) { /* ah, ch, dh, bh */
        read->is_high = true;
        read->number = selector - 4;
    }
    if (form.has_immediate)
        read->immediate = (uint64_t)signed_at(at + i + operand, form.immediate_bytes);
    const unsigned loaded = form.kind == REEL_INSTRUCTION_LOAD ? selector + prefixes.high_register
                                                               : REEL_INSTRUCTION_REGISTERS;
    uint64_t operand_at;
    bool known = effective_address(at + i, &prefixes, loaded, question, &operand_at);
    *certain = known && (operand_at - question->address < 8 || question->address - operand_at < 8);
    return *certain || !known;
}

struct reel_instruction reel_instruction_before(const uint8_t *code, size_t count, uint64_t end,
                                                uint64_t address, const uint64_t *registers)
{
    const struct question question = {end, address, registers};
    struct reel_instruction best = {0};
#if defined(__x86_64__)
    for (size_t length = count < 15 ? count : 15; length > 1; length--) {
        struct reel_instruction read;
        bool certain = false;
        if (!read_as(code + count - length, length, &question, &read, &certain))
            continue;
        /* Of those that are certain the longest, too: a prefix belongs to what follows. */
        if (certain)
            return read;
        if (!best.kind)
            best = read;
    }
#else
    (void)code, (void)count, (void)question;
    (void)read_as;
#endif
    return best;
}

bool reel_instruction_value(const struct reel_instruction *instruction,
                            const uint64_t registers[REEL_INSTRUCTION_REGISTERS], uint64_t *value)
{
    const unsigned size = instruction->size;
    if (!size || size > 8 || (!instruction->has_register && !instruction->has_immediate) ||
        instruction->number >= REEL_INSTRUCTION_REGISTERS)
        return false;
    *value = instruction->has_immediate
                 ? instruction->immediate
                 : registers[instruction->number] >> (instruction->is_high ? 8 : 0);
    if (size < 8)
        *value &= ((uint64_t)1 << size * 8) - 1;
    return true;
}
