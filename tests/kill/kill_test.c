/* Nothing lost: kills of the program and of the recorder at random moments, a full disk. What was
 * recorded before the cut is in the trace, and the program never notices the recorder's end.
 *
 *   kill_test REEL COUNTED        REEL_FULL=1: a thousand kills instead of forty */
#include <errno.h>
#include <glib.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/kill/counted.h"
#include "tests/kit/recording.h"

static const char *reel, *counted;
static char *no_seal[] = {"--no-seal", "--quiet", NULL};

static unsigned rounds(unsigned normal, unsigned full)
{
    return getenv("REEL_FULL") ? full : normal;
}

static void pause_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

static void count_release(void *data, const struct reel_event *event)
{
    uint64_t *releases = data;
    *releases += event->operation == REEL_OP_RELEASE && event->class == REEL_CLASS_MUTEX;
}

static struct counted *start(struct recording *recording, char *threads, char *sections)
{
    strcpy(recording->folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording->folder));
    struct counted *page = recording_page(recording, "page", sizeof *page);
    g_autofree char *path = g_strdup_printf("%s/page", recording->folder);
    char *words[] = {(char *)counted, path, threads, sections, NULL};
    recording_start(recording, reel, NULL, no_seal, words);
    return page;
}

static bool comes(_Atomic int *value)
{
    for (int i = 0; i < 20000 && !atomic_load(value); i++)
        pause_us(1000);
    return atomic_load(value) != 0;
}

static uint64_t sections(struct counted *page)
{
    uint64_t sum = 0;
    for (int i = 0; i < COUNTED_THREADS; i++)
        sum += atomic_load(&page->thread[i].sections);
    return sum;
}

static void a_killed_program_leaves_all_it_did(void **state)
{
    (void)state;
    srandom(20);
    for (unsigned round = 0; round < rounds(40, 1000); round++) {
        struct recording recording = {0};
        struct counted *page = start(&recording, round % 2 ? "3" : "1", "0");
        assert_true(comes(&page->pid));
        pause_us(random() % 20000);
        assert_return_code(kill(atomic_load(&page->pid), SIGKILL), errno);
        assert_int_equal(recording_wait(&recording), 128 + SIGKILL);
        uint64_t releases = 0;
        recording_read(&recording, count_release, &releases);
        /* Each thread may have died between the number and the record. */
        uint64_t told = sections(page), lost = recording_meta(&recording, "lost");
        if (releases + lost + 3 < told)
            fail_msg("round %u: %llu sections, %llu releases, %llu lost", round,
                     (unsigned long long)told, (unsigned long long)releases,
                     (unsigned long long)lost);
        assert_int_equal(recording_ask(&recording, "SELECT signal FROM process"), SIGKILL);
        recording_remove(&recording);
    }
}

static void a_killed_recorder_harms_nobody(void **state)
{
    (void)state;
    srandom(21);
    for (unsigned round = 0; round < rounds(10, 1000); round++) {
        struct recording recording = {0};
        struct counted *page = start(&recording, "2", "300000");
        assert_true(comes(&page->pid));
        pause_us(random() % 30000);
        kill(recording.reel, SIGKILL);
        assert_int_equal(recording_wait(&recording), 128 + SIGKILL);
        if (!comes(&page->finished))
            fail_msg("round %u: the program did not come to its end", round);
        g_autofree char *output = recording_text(recording.output);
        g_autofree char *errors = recording_text(recording.errors);
        assert_string_equal(output, "total 600000\n");
        assert_string_equal(errors, "");
        recording_read(&recording, NULL, NULL);
        recording_remove(&recording);
    }
}

static void a_full_disk_is_told_and_harms_nobody(void **state)
{
    (void)state;
    char disk[] = "/tmp/reel-disk-XXXXXX";
    assert_non_null(mkdtemp(disk));
    if (mount("reel", disk, "tmpfs", 0, "size=3m") != 0) {
        rmdir(disk);
        skip();
    }
    struct recording recording = {0};
    strcpy(recording.folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording.folder));
    struct counted *page = recording_page(&recording, "page", sizeof *page);
    g_autofree char *path = g_strdup_printf("%s/page", recording.folder);
    char *words[] = {(char *)counted, path, "2", "2000000", NULL};
    recording_start(&recording, reel, disk, no_seal, words);
    int status = recording_wait(&recording);
    g_autofree char *errors = recording_text(recording.errors);
    g_autofree char *text = recording_text(recording.output);
    assert_int_equal(status, 125);
    assert_non_null(strstr(errors, "full"));
    assert_true(atomic_load(&page->finished));
    assert_string_equal(text, "total 4000000\n");
    uint64_t releases = 0;
    recording_read(&recording, count_release, &releases);
    assert_true(releases > 1000);
    umount(disk);
    rmdir(disk);
    recording_remove(&recording);
}

static void a_limit_ends_the_recording_not_the_program(void **state)
{
    (void)state;
    struct recording recording = {0};
    strcpy(recording.folder, "/tmp/reel-test-XXXXXX");
    assert_non_null(mkdtemp(recording.folder));
    struct counted *page = recording_page(&recording, "page", sizeof *page);
    g_autofree char *path = g_strdup_printf("%s/page", recording.folder);
    char *words[] = {(char *)counted, path, "2", "1000000", NULL};
    char *options[] = {"--no-seal", "--limit", "500K", NULL};
    recording_start(&recording, reel, NULL, options, words);
    assert_int_equal(recording_wait(&recording), 5);
    assert_true(atomic_load(&page->finished));
    g_autofree char *output = recording_text(recording.output);
    assert_string_equal(output, "total 2000000\n");
    uint64_t releases = 0;
    recording_read(&recording, count_release, &releases);
    assert_true(releases > 1000 && releases < 2000000);
    struct stat file;
    assert_return_code(stat(recording.trace, &file), errno);
    assert_true(file.st_size < 8 << 20);
    recording_remove(&recording);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 99;
    reel = realpath(argv[1], NULL);
    counted = realpath(argv[2], NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_program_leaves_all_it_did),
        cmocka_unit_test(a_killed_recorder_harms_nobody),
        cmocka_unit_test(a_full_disk_is_told_and_harms_nobody),
        cmocka_unit_test(a_limit_ends_the_recording_not_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
