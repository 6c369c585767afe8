#include "probes/preload/cfi.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "probes/preload/probe.h"

#if defined(__x86_64__) && defined(DLFO_STRUCT_HAS_EH_DBASE)

enum { REGISTER_BP = 6, REGISTER_SP = 7, REGISTER_RA = 16 };

/* Bytes of a table, and where they end: every read is checked, a short table reads as zero. */
struct bytes {
    const uint8_t *at, *end;
};

static uint64_t take(struct bytes *in, unsigned size)
{
    uint64_t value = 0;
    if ((size_t)(in->end - in->at) < size) {
        in->at = in->end;
        return 0;
    }
    memcpy(&value, in->at, size);
    in->at += size;
    return value;
}

static int64_t take_signed(struct bytes *in, unsigned size)
{
    uint64_t value = take(in, size);
    unsigned shift = 64 - 8 * size;
    return (int64_t)(value << shift) >> shift;
}

static uint64_t take_uleb(struct bytes *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

static int64_t take_sleb(struct bytes *in)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte = 0;
    while (in->at < in->end) {
        byte = *in->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (!(byte & 0x80))
            break;
    }
    if (shift < 64 && (byte & 0x40))
        value |= ~(uint64_t)0 << shift;
    return (int64_t)value;
}

/* A pointer in one of the encodings of the exception header (DW_EH_PE_*). */
static bool take_pointer(struct bytes *in, uint8_t encoding, uint64_t data_base, uint64_t *value)
{
    uint64_t here = (uint64_t)in->at;
    switch (encoding & 0x0f) {
    case 0x00:
    case 0x04:
    case 0x0c:
        *value = take(in, 8);
        break;
    case 0x02:
        *value = take(in, 2);
        break;
    case 0x03:
        *value = take(in, 4);
        break;
    case 0x0a:
        *value = (uint64_t)take_signed(in, 2);
        break;
    case 0x0b:
        *value = (uint64_t)take_signed(in, 4);
        break;
    default:
        return false;
    }
    switch (encoding & 0x70) {
    case 0x00:
        return true;
    case 0x10:
        *value += here;
        return true;
    case 0x30:
        *value += data_base;
        return true;
    default:
        return false;
    }
}

/* What the program of one frame has established so far. */
struct row {
    uint32_t cfa_register;
    int64_t cfa_offset;
    const uint8_t *cfa_expression; /* or NULL */
    uint64_t cfa_expression_size;
    int64_t bp_offset; /* bytes from the CFA */
    bool bp_saved, bp_lost, ra_undefined;
};

struct program {
    uint64_t code_alignment;
    int64_t data_alignment;
    uint8_t pointer_encoding;
    struct row initial;
};

static void set_offset(struct row *row, uint64_t number, int64_t offset)
{
    if (number == REGISTER_BP) {
        row->bp_saved = true;
        row->bp_lost = false;
        row->bp_offset = offset;
    } else if (number == REGISTER_RA) {
        row->ra_undefined = false;
    }
}

static void restore(struct row *row, const struct row *initial, uint64_t number)
{
    if (number == REGISTER_BP) {
        row->bp_saved = initial->bp_saved;
        row->bp_lost = initial->bp_lost;
        row->bp_offset = initial->bp_offset;
    } else if (number == REGISTER_RA) {
        row->ra_undefined = initial->ra_undefined;
    }
}

static void lose(struct row *row, uint64_t number)
{
    if (number == REGISTER_BP)
        row->bp_lost = true;
    else if (number == REGISTER_RA)
        row->ra_undefined = true;
}

/* Runs instructions until `pc` lies before the location reached. False: something unknown. */
static bool run(struct bytes in, const struct program *program, uint64_t location, uint64_t pc,
                struct row *row)
{
    struct row remembered[8];
    unsigned depth = 0;
    while (in.at < in.end && location <= pc) {
        struct row next = *row;
        uint8_t opcode = *in.at++;
        uint64_t low = opcode & 0x3f, number;
        uint64_t step = 0;
        switch (opcode & 0xc0 ? opcode & 0xc0 : opcode) {
        case 0x40: /* advance_loc */
            step = low * program->code_alignment;
            break;
        case 0x80: /* offset */
            set_offset(&next, low, (int64_t)take_uleb(&in) * program->data_alignment);
            break;
        case 0xc0: /* restore */
            restore(&next, &program->initial, low);
            break;
        case 0x00: /* nop */
            break;
        case 0x01: /* set_loc */
            if (!take_pointer(&in, program->pointer_encoding, 0, &number))
                return false;
            step = number - location;
            break;
        case 0x02: /* advance_loc1, 2, 4 */
            step = take(&in, 1) * program->code_alignment;
            break;
        case 0x03:
            step = take(&in, 2) * program->code_alignment;
            break;
        case 0x04:
            step = take(&in, 4) * program->code_alignment;
            break;
        case 0x05: /* offset_extended */
            number = take_uleb(&in);
            set_offset(&next, number, (int64_t)take_uleb(&in) * program->data_alignment);
            break;
        case 0x06: /* restore_extended */
            restore(&next, &program->initial, take_uleb(&in));
            break;
        case 0x07: /* undefined */
            lose(&next, take_uleb(&in));
            break;
        case 0x08: /* same_value */
            number = take_uleb(&in);
            if (number == REGISTER_BP)
                next.bp_saved = next.bp_lost = false;
            break;
        case 0x09: /* register */
            number = take_uleb(&in);
            take_uleb(&in);
            lose(&next, number);
            break;
        case 0x0a: /* remember_state */
            if (depth == sizeof remembered / sizeof remembered[0])
                return false;
            remembered[depth++] = next;
            break;
        case 0x0b: /* restore_state */
            if (depth == 0)
                return false;
            next = remembered[--depth];
            break;
        case 0x0c: /* def_cfa */
            next.cfa_register = (uint32_t)take_uleb(&in);
            next.cfa_offset = (int64_t)take_uleb(&in);
            next.cfa_expression = NULL;
            break;
        case 0x0d: /* def_cfa_register */
            next.cfa_register = (uint32_t)take_uleb(&in);
            next.cfa_expression = NULL;
            break;
        case 0x0e: /* def_cfa_offset */
            next.cfa_offset = (int64_t)take_uleb(&in);
            break;
        case 0x0f: /* def_cfa_expression */
            next.cfa_expression_size = take_uleb(&in);
            next.cfa_expression = in.at;
            if (next.cfa_expression_size > (uint64_t)(in.end - in.at))
                return false;
            in.at += next.cfa_expression_size;
            break;
        case 0x10: /* expression, val_expression */
        case 0x16:
            number = take_uleb(&in);
            step = take_uleb(&in);
            if (step > (uint64_t)(in.end - in.at))
                return false;
            /* GCC saves the frame pointer of a realigned frame at exactly the frame pointer:
             * breg6 0. Others are not followed. */
            lose(&next, number);
            if (number == REGISTER_BP && step == 2 && in.at[0] == 0x76 && in.at[1] == 0x00) {
                next.bp_lost = false;
                next.bp_saved = true;
                next.bp_offset = INT64_MIN; /* at the frame pointer */
            }
            in.at += step;
            step = 0;
            break;
        case 0x11: /* offset_extended_sf */
            number = take_uleb(&in);
            set_offset(&next, number, take_sleb(&in) * program->data_alignment);
            break;
        case 0x12: /* def_cfa_sf */
            next.cfa_register = (uint32_t)take_uleb(&in);
            next.cfa_offset = take_sleb(&in) * program->data_alignment;
            next.cfa_expression = NULL;
            break;
        case 0x13: /* def_cfa_offset_sf */
            next.cfa_offset = take_sleb(&in) * program->data_alignment;
            break;
        case 0x14: /* val_offset, val_offset_sf */
        case 0x15:
            lose(&next, take_uleb(&in));
            take_uleb(&in);
            break;
        case 0x2e: /* GNU_args_size */
            take_uleb(&in);
            break;
        default:
            return false;
        }
        if (step > 0 && location + step > pc)
            return true;
        location += step;
        *row = next;
    }
    return true;
}

/* Reads the entry that `table_entry` found, and the common entry it refers to, and runs both. */
static bool run_entry(const uint8_t *entry, uint64_t pc, struct row *row, bool *signal_frame)
{
    uint32_t length, cie_distance;
    memcpy(&length, entry, 4);
    if (length < 8 || length >= 0xfffffff0u)
        return false;
    struct bytes fde = {entry + 4, entry + 4 + length};
    const uint8_t *distance_at = fde.at;
    cie_distance = (uint32_t)take(&fde, 4);
    const uint8_t *common = distance_at - cie_distance;
    memcpy(&length, common, 4);
    if (cie_distance == 0 || length < 8 || length >= 0xfffffff0u)
        return false;
    struct bytes cie = {common + 4, common + 4 + length};
    if (take(&cie, 4) != 0)
        return false;
    uint8_t version = (uint8_t)take(&cie, 1);
    const char *augmentation = (const char *)cie.at;
    size_t augmentation_length = strnlen(augmentation, (size_t)(cie.end - cie.at));
    if (augmentation_length == (size_t)(cie.end - cie.at))
        return false; /* it has no end */
    cie.at += augmentation_length + 1;
    struct program program = {.pointer_encoding = 0};
    program.code_alignment = take_uleb(&cie);
    program.data_alignment = take_sleb(&cie);
    if (version == 1)
        take(&cie, 1);
    else
        take_uleb(&cie);
    *signal_frame = false;
    bool sized = augmentation[0] == 'z';
    if (augmentation_length && !sized)
        return false;
    if (sized) {
        uint64_t size = take_uleb(&cie);
        if (size > (uint64_t)(cie.end - cie.at))
            return false;
        struct bytes data = {cie.at, cie.at + size};
        cie.at += size;
        uint64_t ignored;
        for (const char *letter = augmentation + 1; *letter; letter++) {
            if (*letter == 'R') {
                program.pointer_encoding = (uint8_t)take(&data, 1);
            } else if (*letter == 'P') {
                uint8_t encoding = (uint8_t)take(&data, 1);
                if (!take_pointer(&data, encoding & 0x7f, 0, &ignored))
                    return false;
            } else if (*letter == 'L') {
                take(&data, 1);
            } else if (*letter == 'S') {
                *signal_frame = true;
            } else {
                break;
            }
        }
    }
    uint64_t begin, range;
    if (!take_pointer(&fde, program.pointer_encoding, 0, &begin) ||
        !take_pointer(&fde, program.pointer_encoding & 0x0f, 0, &range))
        return false;
    if (pc < begin || pc >= begin + range)
        return false;
    if (sized) {
        uint64_t size = take_uleb(&fde);
        if (size > (uint64_t)(fde.end - fde.at))
            return false;
        fde.at += size;
    }
    if (!run(cie, &program, 0, UINT64_MAX, row))
        return false;
    program.initial = *row;
    return run(fde, &program, begin, pc, row);
}

/* Binary search in .eh_frame_hdr: the entry whose range may hold `pc`. */
static const uint8_t *find_entry(const uint8_t *header, uint64_t pc)
{
    if (header[0] != 1 || header[3] != 0x3b) /* the encoding every linker writes: datarel sdata4 */
        return NULL;
    struct bytes in = {header + 4, header + 64};
    uint64_t frames, count;
    if (!take_pointer(&in, header[1], (uint64_t)header, &frames) ||
        !take_pointer(&in, header[2], (uint64_t)header, &count) || count == 0)
        return NULL;
    const int32_t(*table)[2] = (const int32_t(*)[2])in.at;
    int64_t wanted = (int64_t)(pc - (uint64_t)header);
    uint64_t low = 0, high = count;
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (table[middle][0] <= wanted)
            low = middle;
        else
            high = middle;
    }
    if (table[low][0] > wanted)
        return NULL;
    return header + table[low][1];
}

/* The expression that linkers write for the procedure linkage table, whose entries are 16 bytes
 * long and push once: rsp + 8, and 8 more from the byte on that `lit` says. The code address is
 * known here. False: it is another one. */
static bool rule_of_linkage(const struct row *row, uint64_t pc, struct reel_cfi_rule *rule)
{
    /* breg7 8; breg16 0; lit15; and; lit N; ge; lit3; shl; plus */
    static const uint8_t form[11] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0, 0x2a, 0x33, 0x24, 0x22};
    const uint8_t *given = row->cfa_expression;
    if (row->cfa_expression_size != sizeof form || memcmp(given, form, 6) != 0 ||
        memcmp(given + 7, form + 7, 4) != 0 || given[6] < 0x30 || given[6] > 0x3f)
        return false;
    rule->base = REEL_CFI_STACK_POINTER;
    rule->cfa_offset = (pc & 15) >= (uint64_t)(given[6] - 0x30) ? 16 : 8;
    return true;
}

static bool rule_of_row(const struct row *row, uint64_t pc, struct reel_cfi_rule *rule)
{
    if (row->ra_undefined)
        return false;
    rule->saved_offset = 0;
    if (row->cfa_expression && rule_of_linkage(row, pc, rule))
        return true;
    if (row->cfa_expression) {
        /* The one form compilers write for realigned stacks: breg6 N, deref. */
        struct bytes in = {row->cfa_expression, row->cfa_expression + row->cfa_expression_size};
        if (take(&in, 1) != 0x76)
            return false;
        int64_t offset = take_sleb(&in);
        if (take(&in, 1) != 0x06 || in.at != in.end || offset != (int32_t)offset)
            return false;
        rule->base = REEL_CFI_SAVED_POINTER;
        rule->cfa_offset = (int32_t)offset;
    } else if (row->cfa_register == REGISTER_SP || row->cfa_register == REGISTER_BP) {
        if (row->cfa_offset != (int32_t)row->cfa_offset)
            return false;
        rule->base =
            row->cfa_register == REGISTER_SP ? REEL_CFI_STACK_POINTER : REEL_CFI_FRAME_POINTER;
        rule->cfa_offset = (int32_t)row->cfa_offset;
    } else {
        return false;
    }
    rule->saved_offset = 0;
    if (row->bp_saved && row->bp_offset == INT64_MIN)
        rule->saved_offset = REEL_CFI_SAVED_AT_POINTER;
    else if (row->bp_saved && row->bp_offset % 8 == 0 && row->bp_offset / 8 > INT16_MIN &&
             row->bp_offset < 0)
        rule->saved_offset = (int16_t)(row->bp_offset / 8);
    return true;
}

void reel_cfi_find(uint64_t pc, struct reel_cfi_rule *rule)
{
    *rule = (struct reel_cfi_rule){.base = REEL_CFI_STOP};
    struct dl_find_object object;
    if (_dl_find_object((void *)pc, &object) != 0 || !object.dlfo_eh_frame)
        return;
    const uint8_t *entry = find_entry(object.dlfo_eh_frame, pc);
    struct row row = {0};
    bool signal_frame = false;
    if (!entry || !run_entry(entry, pc, &row, &signal_frame))
        return;
    if (signal_frame)
        rule->base = REEL_CFI_SIGNAL;
    else if (!rule_of_row(&row, pc, rule))
        rule->base = REEL_CFI_STOP;
}

#else

void reel_cfi_find(uint64_t pc, struct reel_cfi_rule *rule)
{
    (void)pc;
    *rule = (struct reel_cfi_rule){.base = REEL_CFI_STOP};
}

#endif
