#include "tracer/collect/watch_access.h"

#include "tracer/collect/watch_instruction.h"

/* Bytes behind the operand of an instruction that may be locked; -1: it may not. */
static int immediate_bytes(bool escaped, uint8_t opcode, const uint8_t *operand, bool short_words)
{
    if (escaped) {
        switch (opcode) {
        case 0xb0: /* cmpxchg */
        case 0xb1:
        case 0xc0: /* xadd */
        case 0xc1:
        case 0xc7: /* cmpxchg8b, cmpxchg16b */
        case 0xab: /* bts, btr, btc */
        case 0xb3:
        case 0xbb:
            return 0;
        case 0xba:
            return 1;
        default:
            return -1;
        }
    }
    /* add, or, adc, sbb, and, sub, xor: memory is the destination of the first two forms */
    if (opcode < 0x38 && (opcode & 7u) < 2)
        return 0;
    switch (opcode) {
    case 0x80:
    case 0x83:
        return 1;
    case 0x81:
        return short_words ? 2 : 4;
    case 0x86: /* xchg */
    case 0x87:
    case 0xfe: /* inc, dec */
    case 0xff:
        return 0;
    case 0xf6: /* not, neg: /2, /3 */
    case 0xf7:
        return (operand[0] >> 4 & 3u) == 1 ? 0 : -1;
    default:
        return -1;
    }
}

/* Is that one whole instruction, of `count` bytes? */
static bool is_locked(const uint8_t *at, size_t count)
{
    bool locked = false, short_words = false, escaped = false;
    size_t i = 0;
    for (; i < count; i++) {
        if (at[i] == 0xf0)
            locked = true;
        else if (at[i] == 0x66)
            short_words = true;
        else if (at[i] != 0x64 && at[i] != 0x65 && at[i] != 0xf2 && at[i] != 0xf3)
            break;
    }
    if (i < count && (at[i] & 0xf0u) == 0x40) /* REX */
        i++;
    if (i < count && at[i] == 0x0f) {
        escaped = true;
        i++;
    }
    if (i + 1 >= count)
        return false;
    uint8_t opcode = at[i++];
    size_t operand = reel_instruction_operand(at + i, count - i);
    int immediate = immediate_bytes(escaped, opcode, at + i, short_words);
    bool exchange = !escaped && (opcode == 0x86 || opcode == 0x87);
    return operand && immediate >= 0 && i + operand + (size_t)immediate == count &&
           (locked || exchange);
}

bool reel_watch_is_atomic(const uint8_t *code, size_t count)
{
#if defined(__x86_64__)
    /* Where it begins is not known. One that begins with a prefix of its own is tried from there:
     * the longest first, for a prefix belongs to what follows it. */
    for (size_t length = count < REEL_INSTRUCTION_BYTES ? count : REEL_INSTRUCTION_BYTES;
         length > 1; length--)
        if (is_locked(code + count - length, length))
            return true;
#else
    (void)code, (void)count;
    (void)is_locked;
#endif
    return false;
}

bool reel_watch_is_behind_call(const uint8_t *code, size_t count)
{
#if defined(__x86_64__)
    const uint8_t *end = code + count;
    if (count >= 5 && end[-5] == 0xe8)
        return true;
    for (size_t length = 2; length <= 7 && length <= count; length++) {
        const uint8_t *at = end - length;
        if (at[0] != 0xff || (at[1] >> 3 & 7u) != 2)
            continue;
        size_t operand = at[1] >> 6 == 3 ? 1 : reel_instruction_operand(at + 1, length - 1);
        if (operand + 1 == length)
            return true;
    }
    return false;
#else
    (void)code, (void)count;
    return true;
#endif
}
