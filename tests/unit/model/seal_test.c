/* Sealing: chunks become rows, intervals, holds, gaps, objects and names, in one trace. And the
 * live table, which shows the same events before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/model/sealed.h"
#include "tests/unit/store/scratch.h"
#include "tracer/model/live_table.h"
#include "tracer/model/shared_places.h"

#define TWO_THREADS                                                                                \
    "T1 attach; T1 init A stack 3; T1 lock A; T1 create T2; T2 start by T1; T2 want A stack 4; "   \
    "T1 unlock A; T2 lock A stack 4; T2 unlock A; T2 exit; T1 join T2"

static void a_trace_becomes_plain_rows(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", TWO_THREADS);
    struct reel_seal_result result = seal(trace);
    assert_int_equal(result.merge.events, 12);
    assert_int_equal(reel_trace_state(trace), REEL_TRACE_SEALED);
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM event"), "12");
    assert_string_equal(rows_of(trace, "SELECT start_ns, end_ns, state, owner, ended_by,"
                                       " ended_event, stack, call FROM interval WHERE thread = 2"),
                        "5000 6000 running - - - - -\n"
                        "6000 8000 lock-wait 1 1 7000 4 lock\n"
                        "8000 10000 running - - - - -");
    assert_string_equal(rows_of(trace, "SELECT thread, start_ns, end_ns, mode, waited_ns, released,"
                                       " stack FROM hold ORDER BY start_ns"),
                        "1 3000 7000 exclusive 0 1 -\n2 8000 9000 exclusive 2000 1 4");
    assert_string_equal(rows_of(trace, "SELECT name, generation, ordinal, creator, site"
                                       " FROM object WHERE class = 3"),
                        "mutex #1 1 2 1 3");
    reel_trace_close(trace, NULL);
}

static void nothing_refers_to_what_is_not(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel",
                    TWO_THREADS "; T1 fork P2; P2.T3 attach by P1; T3 lock A; T1 want A; "
                                "T1 begin join 0x7f1234567890; T1 gap 5; T9 mark x");
    sqlite3_exec(reel_trace_database(trace), "DELETE FROM thread WHERE id = 9", NULL, NULL, NULL);
    sqlite3_exec(reel_trace_database(trace), "DELETE FROM stack WHERE id = 4", NULL, NULL, NULL);
    seal(trace);
    assert_string_equal(rows_of(trace, "PRAGMA foreign_key_check"), "");
    assert_string_equal(rows_of(trace, "PRAGMA integrity_check"), "ok");
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM event WHERE thread = 9"), "1");
    reel_trace_close(trace, NULL);
}

static void intervals_tile_and_end_with_the_trace(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel", TWO_THREADS "; @1ms T1 want A; T3 lock A; T3 mark x");
    reel_trace_set_meta(trace, "duration_ns", "5000000", NULL);
    struct reel_seal_result result = seal(trace);
    assert_int_equal(result.end_ns, 5000000);
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM interval a JOIN interval b"
                                       " ON a.thread = b.thread AND a.id < b.id"
                                       " AND a.end_ns > b.start_ns"),
                        "0");
    assert_string_equal(rows_of(trace, "SELECT thread, max(end_ns) - min(start_ns) ="
                                       " sum(end_ns - start_ns) FROM interval GROUP BY thread"),
                        "1 1\n2 1\n3 1");
    assert_string_equal(rows_of(trace, "SELECT state, end_ns, ended_event FROM interval"
                                       " WHERE thread = 1 ORDER BY start_ns DESC LIMIT 1"),
                        "lock-wait 5000000 -");
    assert_string_equal(rows_of(trace, "SELECT thread, end_ns, released FROM hold"
                                       " ORDER BY start_ns DESC LIMIT 1"),
                        "3 5000000 0");
    reel_trace_close(trace, NULL);
}

static void gaps_are_rows_and_late_losses_too(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel", "T1 mark x; @9us T1 gap 5 since 4us; T2 mark y");
    sqlite3_exec(reel_trace_database(trace),
                 "UPDATE thread SET lost = 7 WHERE id = 1;"
                 "UPDATE thread SET lost = 3 WHERE id = 2",
                 NULL, NULL, NULL);
    seal(trace);
    assert_string_equal(rows_of(trace, "SELECT thread, process, start_ns, end_ns, lost FROM gap"),
                        "1 1 4000 9000 5\n1 1 1000 10001 2\n2 1 10000 10001 3");
    reel_trace_close(trace, NULL);
}

static const char *symbol(void *data, uint32_t process, uint64_t address)
{
    return address == 0x10000 ? "accounts_lock" : address == 0x5000 ? "consume" : NULL;
}

static bool site(void *data, uint32_t stack, struct reel_name_site *made)
{
    *made = (struct reel_name_site){stack == 3 ? "account.lock" : NULL, "/src/bank.c", 41};
    return stack == 3 || stack == 4;
}

static void names_come_from_the_program_then_its_symbols_then_its_source(void **state)
{
    struct reel_trace *trace = record_text(
        *state, "a.reel",
        "T1 lock A; T1 init B stack 3; T1 init C:rwlock stack 4; T1 init D stack 3; T1 lock E; "
        "T1 lock F; T1 name F my\nT1 lock G; T2 start routine 0x5000; T3 start; T3 name T3 "
        "fetcher; "
        "T4 mark x; P2.T5 attach by P1; T5 lock B; T1 waitpid P2");
    struct reel_error error = {0};
    const struct reel_seal_options options = {.names = {.symbol = symbol, .site = site}};
    if (!reel_seal(trace, &options, NULL, &error))
        fail_msg("%s", error.message);
    assert_string_equal(rows_of(trace, "SELECT name FROM object WHERE class <> 1 ORDER BY id"),
                        "accounts_lock\naccount.lock #1 (bank.c:41)\nrwlock #1 (bank.c:41)\n"
                        "account.lock #2 (bank.c:41)\nmutex #1\nmy\nmutex #2\nprocess 1002\n"
                        "account.lock #1 (bank.c:41)");
    assert_string_equal(rows_of(trace, "SELECT name FROM thread ORDER BY id"),
                        "main\nconsume\nfetcher\nthread 4\nmain");
    reel_trace_close(trace, NULL);
}

static void what_a_program_calls_things_is_made_harmless(void **state)
{
    struct reel_trace *trace = record_text(
        *state, "a.reel", "T1 lock A; T1 name A a\033[2Jb\xff\xc3\xa9\xed\xa0\x80; T1 mark x\x07y");
    seal(trace);
    assert_string_equal(rows_of(trace, "SELECT name FROM object"), "a?[2Jb?é???");
    assert_string_equal(rows_of(trace, "SELECT value FROM event_extra ORDER BY event"),
                        "a?[2Jb?é???\nx?y");
    reel_trace_close(trace, NULL);
}

static void extra_words_are_numbers_where_they_are_no_text(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", "T2 start handle 7 routine 8 by T1");
    seal(trace);
    assert_string_equal(rows_of(trace, "SELECT position, value, typeof(value) FROM event_extra"),
                        "0 7 integer\n1 8 integer\n2 1 integer");
    reel_trace_close(trace, NULL);
}

static void results_are_signed(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel", "T1 begin read pipe P; T1 end read pipe P -32");
    seal(trace);
    assert_string_equal(rows_of(trace, "SELECT argument FROM event"), "20\n-32");
    reel_trace_close(trace, NULL);
}

static bool give_up(void *data, uint64_t done, uint64_t total)
{
    return false;
}

static char *many_events(unsigned pairs)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (unsigned i = 0; i < pairs; i++)
        fprintf(out, "T%u lock %c;T%u unlock %c\n", 1 + i % 3, 'A' + (int)(i % 7), 1 + i % 3,
                'A' + (int)(i % 7));
    fclose(out);
    return text;
}

static void sealing_can_be_given_up_and_done_again(void **state)
{
    char *text = many_events(40000);
    struct reel_trace *trace = record_text(*state, "a.reel", text);
    struct reel_error error = {0};
    const struct reel_seal_options options = {.progress = give_up};
    assert_false(reel_seal(trace, &options, NULL, &error));
    assert_int_equal(error.code, REEL_ERROR_LIMIT);
    assert_int_not_equal(reel_trace_state(trace), REEL_TRACE_SEALED);
    struct reel_seal_result result = seal(trace);
    assert_int_equal(result.world.holds, 40000);
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM event"), "80000");
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM hold"), "40000");
    reel_trace_close(trace, NULL);
    free(text);
}

static void both_writers_write_the_same_rows(void **state)
{
    char *text = many_events(5000);
    static const char rows[] =
        "SELECT count(*), sum(time_ns * (thread + operation + object)) FROM event"
        " UNION ALL SELECT count(*), sum(start_ns * thread + end_ns) FROM hold"
        " UNION ALL SELECT count(*), sum(start_ns * thread + end_ns) FROM interval";
    struct reel_trace *trace = record_text(*state, "a.reel", text);
    seal(trace);
    char *expected = strdup(rows_of(trace, rows));
    reel_trace_close(trace, NULL);
    trace = record_text(*state, "b.reel", text);
    struct reel_error error = {0};
    const struct reel_seal_options options = {.writer = REEL_ROWS_PAGES};
    if (!reel_seal(trace, &options, NULL, &error))
        fail_msg("%s", error.message);
    assert_string_equal(rows_of(trace, rows), expected);
    assert_string_equal(rows_of(trace, "PRAGMA integrity_check"), "ok");
    reel_trace_close(trace, NULL);
    free(expected);
    free(text);
}

static void a_trace_that_kept_its_chunks_can_be_sealed_again(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", TWO_THREADS);
    struct reel_error error = {0};
    const struct reel_seal_options options = {.keep_chunks = true,
                                              .names = {.symbol = symbol, .site = site}};
    assert_true(reel_seal(trace, &options, NULL, &error));
    assert_true(reel_seal(trace, &options, NULL, &error));
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM event"), "12");
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM hold"), "2");
    reel_trace_close(trace, NULL);
}

static void damaged_chunks_are_an_error(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", TWO_THREADS);
    sqlite3_exec(reel_trace_database(trace),
                 "UPDATE chunk SET data = x'ffffffffff' WHERE thread = 1", NULL, NULL, NULL);
    struct reel_error error = {0};
    assert_false(reel_seal(trace, &(struct reel_seal_options){0}, NULL, &error));
    assert_int_equal(error.code, REEL_ERROR_DAMAGED);
    assert_int_not_equal(reel_trace_state(trace), REEL_TRACE_SEALED);
    reel_trace_close(trace, NULL);
}

/* Any events at all, in chunks that are whole: hostile content of a well-formed file. */
static void record_nonsense(struct reel_trace *trace, unsigned seed)
{
    uint64_t s = seed * 99991, extra[3];
    for (uint32_t thread = 1; thread <= 5; thread++) {
        struct reel_chunk_builder *builder = reel_chunk_builder_new();
        for (unsigned step = 1; step <= 500; step++) {
            s = s * 6364136223846793005ull + 1442695040888963407ull;
            for (unsigned i = 0; i < 3; i++)
                extra[i] = s >> 62 ? s >> (7 * i + 20) & 0x3f : s * (i + 1);
            struct reel_event event = {
                .time_ns = step * 100 + thread,
                .operation = (s >> 36) % (s >> 61 ? 72 : REEL_OP_LIMIT),
                .class = (s >> 44) % (s >> 61 ? 29 : REEL_CLASS_LIMIT),
                .object = s >> 59 ? 0x10 * ((s >> 50) % 5) : s,
                .argument = (s >> 20) % 4 ? (s >> 22) % 4 : (uint32_t)(s >> 5),
                .stack = (s >> 25) % 7,
                .flags = (uint8_t)(s >> 30),
                .sequence = s >> 63 ? (uint32_t)(s >> 11) : 0,
                .extra = extra,
                .extra_words = (s >> 58) % 4,
            };
            if (event.operation > REEL_OP_STACK_NODE) /* those below are no events of a chunk */
                reel_chunk_builder_append(builder, &event);
        }
        struct reel_chunk chunk = reel_chunk_builder_finish(builder);
        assert_true(reel_trace_put_chunk(trace, 1 + thread / 3, thread, 0, &chunk, NULL));
        reel_chunk_builder_free(builder);
    }
}

static void nonsense_seals_into_rows_that_hold_together(void **state)
{
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct reel_trace *trace = record_text(*state, "a.reel", "T1 lock A stack 2; P2.T3 mark x");
        record_nonsense(trace, seed);
        reel_trace_commit(trace, NULL);
        seal(trace);
        assert_string_equal(rows_of(trace, "PRAGMA foreign_key_check"), "");
        assert_string_equal(rows_of(trace, "SELECT count(*) > 2000 FROM event"), "1");
        assert_string_equal(rows_of(trace, "SELECT count(*) FROM interval a JOIN interval b"
                                           " ON a.thread = b.thread AND a.id < b.id"
                                           " AND a.end_ns > b.start_ns"),
                            "0");
        assert_string_equal(rows_of(trace, "SELECT count(*) FROM hold a JOIN hold b"
                                           " ON a.object = b.object AND a.start_ns < b.start_ns"
                                           " AND a.end_ns > b.start_ns"
                                           " AND (a.mode = 'exclusive' OR b.mode = 'exclusive')"),
                            "0");
        reel_trace_close(trace, NULL);
    }
}

static void the_live_table_shows_the_same_rows_before(void **state)
{
    static const char query[] = "SELECT * FROM event ORDER BY time_ns";
    struct reel_trace *trace =
        record_text(*state, "a.reel", TWO_THREADS "; T1 wait C with B; T2 read pipe P 5");
    assert_true(reel_live_table_register(trace, NULL));
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM main.event"), "0");
    char *live = strdup(rows_of(trace, query));
    char *middle = strdup(rows_of(trace, "SELECT time_ns FROM event WHERE time_ns > 3000 AND"
                                         " time_ns <= 6000"));
    char *joined = strdup(rows_of(trace, "SELECT operation.name, count(*) FROM event JOIN operation"
                                         " ON operation.id = operation GROUP BY 1 ORDER BY 1"));
    assert_true(reel_live_table_remove(trace, NULL));
    seal(trace);
    assert_string_equal(live, rows_of(trace, query));
    assert_string_equal(middle, "4000\n5000\n6000");
    assert_string_equal(joined, rows_of(trace, "SELECT operation.name, count(*) FROM event JOIN"
                                               " operation ON operation.id = operation GROUP BY 1"
                                               " ORDER BY 1"));
    reel_trace_close(trace, NULL);
    free(live);
    free(middle);
    free(joined);
}

static void the_live_table_works_read_only_and_reports_damage(void **state)
{
    struct reel_trace *trace = record_text(*state, "a.reel", TWO_THREADS);
    reel_trace_close(trace, NULL);
    struct reel_error error = {0};
    trace = reel_trace_open(scratch_path(*state, "a.reel"), REEL_TRACE_READ, &error);
    if (!trace || !reel_live_table_register(trace, &error))
        fail_msg("%s", error.message);
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM event"), "12");
    assert_string_equal(rows_of(trace, "SELECT a.time_ns FROM event a JOIN event b ON"
                                       " a.time_ns = b.time_ns + 1000 LIMIT 2"),
                        "2000\n3000");
    reel_trace_close(trace, NULL);
    trace = reel_trace_open(scratch_path(*state, "a.reel"), REEL_TRACE_WRITE, &error);
    sqlite3_exec(reel_trace_database(trace), "UPDATE chunk SET data = x'ff'", NULL, NULL, NULL);
    assert_true(reel_live_table_register(trace, NULL));
    assert_int_equal(
        sqlite3_exec(reel_trace_database(trace), "SELECT * FROM event", NULL, NULL, NULL),
        SQLITE_ERROR);
    reel_trace_close(trace, NULL);
}

static void shared_mappings_say_what_is_one_object(void **state)
{
    struct reel_trace *trace =
        record_text(*state, "a.reel",
                    "T1 lock A shared; P2.T2 attach; T2 want B shared; P3.T3 attach by P1; "
                    "T3 want A shared");
    /* A is at 0x10000, B at 0x10040: in process 2 the file is mapped 0x40 higher. */
    struct reel_mapping_row row = {
        .process = 1, .start = 0x10000, .end = 0x11000, .device = 1, .inode = 99, .shared = true};
    assert_true(reel_trace_put_mapping(trace, &row, NULL));
    row.process = 2;
    row.start += 0x40;
    assert_true(reel_trace_put_mapping(trace, &row, NULL));
    reel_trace_commit(trace, NULL);
    seal(trace);
    assert_string_equal(rows_of(trace, "SELECT count(*) FROM object WHERE class = 3"), "1");
    assert_string_equal(rows_of(trace,
                                "SELECT thread, owner FROM interval WHERE state = 'lock-wait'"
                                " ORDER BY thread"),
                        "2 1\n3 1");
    reel_trace_close(trace, NULL);
}

#define in_a_directory(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_directory(a_trace_becomes_plain_rows),
        in_a_directory(nothing_refers_to_what_is_not),
        in_a_directory(intervals_tile_and_end_with_the_trace),
        in_a_directory(gaps_are_rows_and_late_losses_too),
        in_a_directory(names_come_from_the_program_then_its_symbols_then_its_source),
        in_a_directory(what_a_program_calls_things_is_made_harmless),
        in_a_directory(extra_words_are_numbers_where_they_are_no_text),
        in_a_directory(results_are_signed),
        in_a_directory(sealing_can_be_given_up_and_done_again),
        in_a_directory(both_writers_write_the_same_rows),
        in_a_directory(a_trace_that_kept_its_chunks_can_be_sealed_again),
        in_a_directory(damaged_chunks_are_an_error),
        in_a_directory(nonsense_seals_into_rows_that_hold_together),
        in_a_directory(the_live_table_shows_the_same_rows_before),
        in_a_directory(the_live_table_works_read_only_and_reports_damage),
        in_a_directory(shared_mappings_say_what_is_one_object),
    };
    return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
