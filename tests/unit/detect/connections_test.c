/* What is sent into one end of a connection comes out of the other: order between threads of the
 * recording, through sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/detect/claims.h"
#include "tests/unit/store/scratch.h"

#define RACE "error race observed X"

/* T2 serves, T3 is the client, of port 4000; L listens, S is accepted, C connects. */
#define THREADS                                                                                    \
    "T1 name X:memory X; T1 write X; T1 create T2; T1 create T3; T2 start by T1; T3 start by T1; "
#define CONNECT "T3 connect socket C 0 port 4000; "
#define ACCEPT  "T2 accept socket L 5 port 4000; T2 open socket S 5; "

static void a_request_orders_what_was_before_it(void **state)
{
    assert_claims(state,
                  THREADS CONNECT ACCEPT "T3 write X; T3 send socket C 4; T2 recv socket S 4; "
                                         "T2 write X",
                  "");
    assert_claims(state,
                  THREADS CONNECT ACCEPT "T3 send socket C 4; T2 recv socket S 4; T3 write X; "
                                         "T2 write X",
                  RACE);
}

static void an_answer_orders_too(void **state)
{
    assert_claims(state,
                  THREADS CONNECT ACCEPT "T2 write X; T2 send socket S 4; T3 recv socket C 4; "
                                         "T3 write X",
                  "");
    /* Nothing was answered. */
    assert_claims(state, THREADS CONNECT ACCEPT "T2 write X; T3 send socket C 4; T3 write X", RACE);
}

static void a_server_may_speak_before_the_client_knows(void **state)
{
    assert_claims(state,
                  THREADS "T3 begin connect socket C; " ACCEPT
                          "T2 write X; T2 send socket S 4; T3 end connect socket C 0 port 4000; "
                          "T3 recv socket C 4; T3 write X",
                  "");
    /* Its own end does not hear it. */
    assert_claims(state,
                  THREADS "T1 create T4; T4 start by T1; T3 begin connect socket C; " ACCEPT
                          "T2 write X; T2 send socket S 4; T3 end connect socket C 0 port 4000; "
                          "T4 recv socket S 4; T4 write X",
                  RACE);
}

static void who_accepts_knows_what_was_before_the_connecting(void **state)
{
    assert_claims(state, THREADS "T3 write X; " CONNECT ACCEPT "T2 write X", "");
    assert_claims(state, THREADS CONNECT "T3 write X; " ACCEPT "T2 write X", RACE);
}

static void another_port_is_another_connection(void **state)
{
    assert_claims(state,
                  THREADS CONNECT "T2 accept socket L 5 port 4001; T2 open socket S 5; "
                                  "T3 write X; T3 send socket C 4; T2 recv socket S 4; T2 write X",
                  RACE);
    /* Of two clients, each has its own end. */
    assert_claims(state,
                  THREADS CONNECT "T3 connect socket D 0 port 4001; " ACCEPT
                                  "T2 accept socket L 6 port 4001; T2 open socket R 6; "
                                  "T3 write X; T3 send socket D 4; T2 recv socket S 4; T2 write X",
                  RACE);
}

static void a_port_used_again_is_a_new_connection(void **state)
{
    assert_claims(state,
                  THREADS CONNECT ACCEPT
                  "T2 close socket S 5; T3 connect socket D 0 port 4000; "
                  "T2 accept socket L 5 port 4000; T2 open socket R 5; "
                  "T3 write X; T3 send socket D 4; T2 recv socket R 4; T2 write X",
                  "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_orders_what_was_before_it),
        TEST(an_answer_orders_too),
        TEST(a_server_may_speak_before_the_client_knows),
        TEST(who_accepts_knows_what_was_before_the_connecting),
        TEST(another_port_is_another_connection),
        TEST(a_port_used_again_is_a_new_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
