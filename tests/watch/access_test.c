/* What the bytes before an address say of the instruction that ends there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tracer/collect/watch_access.h"
#include "tracer/collect/watch_instruction.h"

/* The bytes in hexadecimal, behind some that mean nothing. */
static size_t code(const char *text, uint8_t *bytes)
{
    size_t count = 0, given = strlen(text) / 2;
    while (count + given < REEL_INSTRUCTION_BYTES)
        bytes[count++] = 0x90;
    for (; *text; text += 2) {
        const char *digits = "0123456789abcdef";
        bytes[count++] =
            (uint8_t)((strchr(digits, text[0]) - digits) << 4 | (strchr(digits, text[1]) - digits));
    }
    return count;
}

static bool is_atomic(const char *text)
{
    uint8_t bytes[REEL_INSTRUCTION_BYTES];
    return reel_watch_is_atomic(bytes, code(text, bytes));
}

static bool is_call(const char *text)
{
    uint8_t bytes[REEL_INSTRUCTION_BYTES];
    return reel_watch_is_behind_call(bytes, code(text, bytes));
}

static void locked_instructions_are_atomic(void **state)
{
    assert_true(is_atomic("f0480fc105112e0000")); /* lock xadd %rax,0x2e11(%rip) */
    assert_true(is_atomic("f083053a2e000001"));   /* lock addl $1,0x2e3a(%rip) */
    assert_true(is_atomic("f04883053a2e000001")); /* lock addq $1,… */
    assert_true(is_atomic("f00fb10d382e0000"));   /* lock cmpxchg %ecx,… */
    assert_true(is_atomic("f048ff00"));           /* lock incq (%rax) */
    assert_true(is_atomic("f0480fba2a07"));       /* lock bts $7,(%rdx) */
    assert_true(is_atomic("f066814424083412"));   /* lock addw $0x1234,8(%rsp) */
    assert_true(is_atomic("f048f71c24"));         /* lock negq (%rsp) */
    assert_true(is_atomic("8705322e0000"));       /* xchg %eax,0x2e32(%rip) */
    assert_true(is_atomic("4887442408"));         /* xchg %rax,8(%rsp) */
}

static void plain_ones_are_not(void **state)
{
    assert_false(is_atomic("4883053a2e000001")); /* addq $1,0x2e3a(%rip) */
    assert_false(is_atomic("8b05322e0000"));     /* mov 0x2e32(%rip),%eax */
    assert_false(is_atomic("488905322e0000"));   /* mov %rax,0x2e32(%rip) */
    assert_false(is_atomic("c705322e000007000000"));
    assert_false(is_atomic("4887c3"));                 /* xchg %rax,%rbx touches no memory */
    assert_false(is_atomic("f0480fc1c3"));             /* nor does this, which is no instruction */
    assert_false(is_atomic("f04883003a8b05322e0000")); /* an atomic one before the last */
}

static void calls_are_told_from_others(void **state)
{
    assert_true(is_call("e8d0feffff"));
    assert_true(is_call("ffd0"));         /* call *%rax */
    assert_true(is_call("41ff5424e8"));   /* call *-24(%r12) */
    assert_true(is_call("ff15d22f0000")); /* call *0x2fd2(%rip) */
    assert_true(is_call("ff9080000000")); /* call *128(%rax) */
    assert_false(is_call("488905322e0000"));
    assert_false(is_call("ffe0")); /* jmp *%rax */
    assert_false(is_call("c3"));
}

/* Behind it, the watched word is at 0x4110. */
static struct reel_instruction read_code(const char *text, const uint64_t *registers)
{
    uint8_t bytes[REEL_INSTRUCTION_BYTES];
    return reel_instruction_before(bytes, code(text, bytes), 0x1451, 0x4110, registers);
}

static void loads_stores_and_updates_are_told_apart(void **state)
{
    (void)state;
    const uint64_t none[REEL_INSTRUCTION_REGISTERS] = {0};
    assert_int_equal(read_code("8b05bf2c0000", none).kind, REEL_INSTRUCTION_LOAD);
    assert_int_equal(read_code("891dbf2c0000", none).kind, REEL_INSTRUCTION_STORE);
    assert_int_equal(read_code("488905bf2c0000", none).kind, REEL_INSTRUCTION_STORE);
    assert_int_equal(read_code("c705bf2c000007000000", none).kind, REEL_INSTRUCTION_STORE);
    assert_int_equal(read_code("8b0500000000", none).kind,
                     REEL_INSTRUCTION_UNKNOWN);                                      /* elsewhere */
    assert_int_equal(read_code("833dbf2c000007", none).kind, REEL_INSTRUCTION_LOAD); /* cmpl */
    assert_int_equal(read_code("8305bf2c000001", none).kind, REEL_INSTRUCTION_UPDATE);
    assert_int_equal(read_code("0105bf2c0000", none).kind, REEL_INSTRUCTION_UPDATE);
    assert_int_equal(read_code("ff05bf2c0000", none).kind, REEL_INSTRUCTION_UPDATE);
    assert_int_equal(read_code("0fb605bf2c0000", none).size, 1);
    assert_int_equal(read_code("f20f1105bf2c0000", none).size, 8); /* movsd */
    assert_int_equal(read_code("90", none).kind, REEL_INSTRUCTION_UNKNOWN);
}

/* "80 48 89 02" is an instruction too; what rdx holds says which of the two it was. */
static void an_operand_that_is_the_address_is_certain(void **state)
{
    (void)state;
    uint64_t registers[REEL_INSTRUCTION_REGISTERS] = {0};
    registers[2] = 0x4110;
    struct reel_instruction found = read_code("80488902", registers);
    assert_int_equal(found.kind, REEL_INSTRUCTION_STORE);
    assert_int_equal(found.size, 8);
    registers[2] = 0;
    registers[0] = 0x4110 + 0x77;
    assert_int_equal(read_code("80488902", registers).kind, REEL_INSTRUCTION_UPDATE);
    registers[8] = 0x4100; /* mov %ecx,0x8(%r8,%rdx,8) */
    registers[2] = 1;
    assert_int_equal(read_code("41894cd008", registers).kind, REEL_INSTRUCTION_STORE);
}

static void values_are_what_the_operand_holds(void **state)
{
    (void)state;
    uint64_t value, registers[REEL_INSTRUCTION_REGISTERS] = {0x1122334455667788u};
    struct reel_instruction found = read_code("8905bf2c0000", registers); /* mov %eax,… */
    assert_true(reel_instruction_value(&found, registers, &value));
    assert_int_equal(value, 0x55667788);
    found = read_code("8825bf2c0000", registers); /* mov %ah,… */
    assert_true(reel_instruction_value(&found, registers, &value));
    assert_int_equal(value, 0x77);
    found = read_code("c705bf2c0000ffffffff", registers); /* movl $-1,… */
    assert_true(reel_instruction_value(&found, registers, &value));
    assert_int_equal(value, 0xffffffff);
    found = read_code("8305bf2c000001", registers);
    assert_false(reel_instruction_value(&found, registers, &value));
}

int main(void)
{
#if !defined(__x86_64__)
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_instructions_are_atomic),
        cmocka_unit_test(plain_ones_are_not),
        cmocka_unit_test(calls_are_told_from_others),
        cmocka_unit_test(loads_stores_and_updates_are_told_apart),
        cmocka_unit_test(an_operand_that_is_the_address_is_certain),
        cmocka_unit_test(values_are_what_the_operand_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
