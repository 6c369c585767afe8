/* What the bytes before an address say of the instruction that ends there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tracer/collect/watch_access.h"

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

int main(void)
{
#if !defined(__x86_64__)
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_instructions_are_atomic),
        cmocka_unit_test(plain_ones_are_not),
        cmocka_unit_test(calls_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
