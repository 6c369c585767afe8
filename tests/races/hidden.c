/* Races that a run hides: in every guilty one a lock, released by the one thread before the other
 * took it, orders the two accesses by chance, and `run_after` makes sure that it does. Detectors of
 * happens-before see nothing wrong. In the innocent twin the same order is no chance: a common
 * lock, or a value that the one wrote and the other read. */
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "races.h"

static bool is_guilty;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other_lock = PTHREAD_MUTEX_INITIALIZER;
KEPT volatile int seen;
KEPT int first_use, second_use, both_use;

/* The plainest: each writes the result, then or before notes its own use under the lock. */
KEPT int outcome;

static void *write_then_lock(void *unused)
{
    (void)unused;
    if (is_guilty)
        outcome = 1;
    pthread_mutex_lock(&lock);
    if (!is_guilty)
        outcome = 1;
    first_use = 1;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *lock_then_write(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    second_use = 1;
    if (!is_guilty)
        outcome = 2;
    pthread_mutex_unlock(&lock);
    if (is_guilty)
        outcome = 2;
    return NULL;
}

static void lock_between(bool guilty)
{
    is_guilty = guilty;
    run_after(write_then_lock, lock_then_write);
}

/* The reader finds the writer's note under the lock (innocent), or does not look (guilty). */
KEPT int letter;
KEPT bool posted;

static void *post_letter(void *unused)
{
    (void)unused;
    letter = 1;
    pthread_mutex_lock(&lock);
    posted = true;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *read_letter(void *unused)
{
    (void)unused;
    bool there = true;
    pthread_mutex_lock(&lock);
    if (!is_guilty)
        there = posted;
    second_use++;
    pthread_mutex_unlock(&lock);
    if (there)
        seen = letter;
    return NULL;
}

static void note_not_read(bool guilty)
{
    is_guilty = guilty;
    run_after(post_letter, read_letter);
}

/* Who counts last sums up: the count is read and written in one, as in `++done == 2`. */
KEPT int done, part;

static void *count_first(void *unused)
{
    (void)unused;
    part = 1;
    pthread_mutex_lock(&lock);
    if (is_guilty)
        first_use++;
    else
        done++;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *count_last(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    bool last = is_guilty ? ++second_use == 1 : ++done == 2;
    pthread_mutex_unlock(&lock);
    if (last)
        seen = part;
    return NULL;
}

static void last_one_sums_up(bool guilty)
{
    is_guilty = guilty;
    run_after(count_first, count_last);
}

/* Two locks, one each; the order comes through a third. */
KEPT int account;

static void *deposit(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    account = 1;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&other_lock);
    first_use = 1;
    pthread_mutex_unlock(&other_lock);
    return NULL;
}

static void *withdraw(void *unused)
{
    (void)unused;
    static pthread_mutex_t wrong = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&other_lock);
    second_use = 1;
    pthread_mutex_unlock(&other_lock);
    pthread_mutex_t *mine = is_guilty ? &wrong : &lock;
    pthread_mutex_lock(mine);
    account = 2;
    pthread_mutex_unlock(mine);
    return NULL;
}

static void different_locks(bool guilty)
{
    is_guilty = guilty;
    run_after(deposit, withdraw);
}

/* Reader-writer locks: two readers exclude nothing, and reading together tells neither anything. */
static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
KEPT int table[4], hits;

static void *look_up_and_count(void *unused)
{
    (void)unused;
    hits = 1;
    pthread_rwlock_wrlock(&table_lock);
    table[1] = 1;
    pthread_rwlock_unlock(&table_lock);
    return NULL;
}

static void *look_up(void *unused)
{
    (void)unused;
    pthread_rwlock_rdlock(&table_lock);
    seen = table[is_guilty ? 2 : 1];
    pthread_rwlock_unlock(&table_lock);
    hits = 2;
    return NULL;
}

static void rwlock_between(bool guilty)
{
    is_guilty = guilty;
    run_after(look_up_and_count, look_up);
}

/* A spin lock. */
static pthread_spinlock_t spin;
KEPT int token;

static void *spin_first(void *unused)
{
    (void)unused;
    token = 1;
    pthread_spin_lock(&spin);
    both_use = 1;
    pthread_spin_unlock(&spin);
    return NULL;
}

static void *spin_second(void *unused)
{
    (void)unused;
    bool mine = true;
    pthread_spin_lock(&spin);
    if (is_guilty)
        second_use = 2;
    else
        mine = both_use == 1;
    pthread_spin_unlock(&spin);
    if (mine)
        token = 2;
    return NULL;
}

static void spin_between(bool guilty)
{
    is_guilty = guilty;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    run_after(spin_first, spin_second);
}

/* The order goes through a third thread, which did look (innocent) or not (guilty). */
KEPT int cargo, stamp, relay_stamp;
static pthread_mutex_t relay_lock = PTHREAD_MUTEX_INITIALIZER;

static void *send_cargo(void *unused)
{
    (void)unused;
    cargo = 1;
    pthread_mutex_lock(&lock);
    stamp = 1;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *relay(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    int got = is_guilty ? 1 : stamp;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&relay_lock);
    relay_stamp = got;
    pthread_mutex_unlock(&relay_lock);
    return NULL;
}

static void *take_cargo(void *unused)
{
    pthread_t third = start(relay, unused);
    pthread_join(third, NULL);
    pthread_mutex_lock(&relay_lock);
    int got = relay_stamp;
    pthread_mutex_unlock(&relay_lock);
    if (got)
        seen = cargo;
    return NULL;
}

static void through_a_third(bool guilty)
{
    is_guilty = guilty;
    run_after(send_cargo, take_cargo);
}

/* A use after a free that came earlier, luckily. */
struct box {
    int value, spare;
};
static struct box *box;
KEPT bool closed;

static void *use_box(void *unused)
{
    (void)unused;
    box->value = 1;
    pthread_mutex_lock(&lock);
    closed = true;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *free_box(void *unused)
{
    (void)unused;
    bool may = true;
    pthread_mutex_lock(&lock);
    if (is_guilty)
        second_use = 1;
    else
        may = closed;
    pthread_mutex_unlock(&lock);
    if (may)
        free(box);
    return NULL;
}

static void use_before_free(bool guilty)
{
    is_guilty = guilty;
    box = malloc(sizeof *box);
    run_after(use_box, free_box);
}

/* Lazy initialisation whose flag is looked at under the lock, by those who look. */
KEPT int settings;
KEPT bool are_set;

static void *set_settings(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    if (!are_set) {
        settings = 7;
        are_set = true;
    }
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&other_lock);
    first_use++;
    pthread_mutex_unlock(&other_lock);
    return NULL;
}

static void *use_settings(void *unused)
{
    (void)unused;
    bool ready = true;
    pthread_mutex_lock(&other_lock);
    second_use++;
    pthread_mutex_unlock(&other_lock);
    if (!is_guilty) {
        pthread_mutex_lock(&lock);
        ready = are_set;
        pthread_mutex_unlock(&lock);
    }
    if (ready)
        seen = settings;
    return NULL;
}

static void lazy_settings(bool guilty)
{
    is_guilty = guilty;
    run_after(set_settings, use_settings);
}

/* A queue hands the item over, under its lock; the item's owner goes on with it afterwards
 * (guilty).
 */
struct item {
    int payload;
    struct item *next;
};
static struct item *head;
KEPT struct item shared_item;

static void *enqueue(void *unused)
{
    (void)unused;
    shared_item.payload = 1;
    pthread_mutex_lock(&lock);
    shared_item.next = head;
    head = &shared_item;
    pthread_mutex_unlock(&lock);
    if (is_guilty)
        shared_item.payload = 2;
    pthread_mutex_lock(&other_lock);
    first_use++;
    pthread_mutex_unlock(&other_lock);
    return NULL;
}

static void *dequeue(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&other_lock);
    second_use++;
    pthread_mutex_unlock(&other_lock);
    pthread_mutex_lock(&lock);
    struct item *item = head;
    if (item)
        head = item->next;
    pthread_mutex_unlock(&lock);
    if (item)
        seen = item->payload;
    return NULL;
}

static void item_touched_late(bool guilty)
{
    is_guilty = guilty;
    run_after(enqueue, dequeue);
}

/* Semaphores: as a lock (guilty), as a signal (innocent). */
static sem_t units;
KEPT int measure;

static void *use_unit(void *unused)
{
    (void)unused;
    measure = 1;
    if (is_guilty)
        sem_wait(&units);
    first_use = 1;
    sem_post(&units);
    return NULL;
}

static void *use_unit_late(void *unused)
{
    (void)unused;
    sem_wait(&units);
    second_use = 1;
    if (is_guilty)
        sem_post(&units);
    measure = 2;
    return NULL;
}

static void semaphore_as_lock(bool guilty)
{
    is_guilty = guilty;
    sem_init(&units, 0, guilty);
    run_after(use_unit, use_unit_late);
}

/* A condition that was signalled too early for anybody to hear; who comes later does not look. */
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
KEPT int dish;
KEPT bool served;

static void *serve(void *unused)
{
    (void)unused;
    dish = 1;
    pthread_mutex_lock(&lock);
    served = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *eat(void *unused)
{
    (void)unused;
    struct timespec soon;
    pthread_mutex_lock(&lock);
    if (is_guilty) {
        clock_gettime(CLOCK_REALTIME, &soon);
        pthread_cond_timedwait(&condition, &lock, &soon);
    } else {
        while (!served)
            pthread_cond_wait(&condition, &lock);
    }
    pthread_mutex_unlock(&lock);
    seen = dish;
    return NULL;
}

static void signal_not_heard(bool guilty)
{
    is_guilty = guilty;
    run_after(serve, eat);
}

/* C11 mutexes, recursive ones, and a try that succeeds. */
static mtx_t c11_lock;
KEPT int ticket;

static void *c11_first(void *unused)
{
    (void)unused;
    ticket = 1;
    mtx_lock(&c11_lock);
    mtx_lock(&c11_lock);
    both_use = 1;
    mtx_unlock(&c11_lock);
    mtx_unlock(&c11_lock);
    return NULL;
}

static void *c11_second(void *unused)
{
    (void)unused;
    int may = 1;
    if (mtx_trylock(&c11_lock) != thrd_success)
        return NULL;
    if (is_guilty)
        second_use = 1;
    else
        may = both_use;
    mtx_unlock(&c11_lock);
    if (may)
        ticket = 2;
    return NULL;
}

static void c11_recursive(bool guilty)
{
    is_guilty = guilty;
    mtx_init(&c11_lock, mtx_recursive);
    run_after(c11_first, c11_second);
}

/* Among many sections: the accesses are far apart, and others use the lock between them. */
KEPT int milestone, ring[64];

static void *walk_first(void *unused)
{
    (void)unused;
    milestone = 1;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&lock);
        ring[is_guilty ? i % 32 : 0] = i;
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void *walk_second(void *unused)
{
    (void)unused;
    int last = 0;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&lock);
        if (is_guilty)
            ring[32 + i % 32] = i;
        else
            last = ring[0];
        pthread_mutex_unlock(&lock);
    }
    if (is_guilty || last == 199)
        milestone = 2;
    return NULL;
}

static void many_sections(bool guilty)
{
    is_guilty = guilty;
    run_after(walk_first, walk_second);
}

/* Copied bytes carry the note: memcpy reads, memcmp decides. */
KEPT char mail[16], mailbox[16];
KEPT int attachment;

static void *send_mail(void *unused)
{
    (void)unused;
    attachment = 1;
    pthread_mutex_lock(&lock);
    memcpy(mailbox, "ready", 6);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *get_mail(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    if (is_guilty)
        memset(mail, 1, sizeof mail);
    else
        memcpy(mail, mailbox, sizeof mail);
    pthread_mutex_unlock(&lock);
    if (is_guilty || memcmp(mail, "ready", 6) == 0)
        seen = attachment;
    return NULL;
}

static void copied_note(bool guilty)
{
    is_guilty = guilty;
    run_after(send_mail, get_mail);
}

/* An atomic flag, relaxed, tells that it is time; the lock makes the order (innocent: no race, for
 * the reader waits for it and then takes the lock behind the writer). */
KEPT int report;
KEPT int flag;

static void *write_report(void *unused)
{
    (void)unused;
    report = 1;
    pthread_mutex_lock(&lock);
    if (!is_guilty)
        __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *read_report(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    bool may = is_guilty || __atomic_load_n(&flag, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    if (may)
        seen = report;
    return NULL;
}

static void relaxed_flag_in_lock(bool guilty)
{
    is_guilty = guilty;
    run_after(write_report, read_report);
}

/* One guards its access, the other does not: in this run the guarded one came first. */
KEPT int balance;

static void *guarded(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    balance = 1;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&other_lock);
    first_use = 1;
    pthread_mutex_unlock(&other_lock);
    return NULL;
}

static void *unguarded(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&other_lock);
    second_use = 1;
    pthread_mutex_unlock(&other_lock);
    if (!is_guilty)
        pthread_mutex_lock(&lock);
    seen = balance;
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void guarded_on_one_side(bool guilty)
{
    is_guilty = guilty;
    run_after(guarded, unguarded);
}

/* Threads that nobody joins: what the one did before its end is not what the other waited for. */
KEPT int leftover;

static void *detached(void *unused)
{
    (void)unused;
    leftover = 1;
    pthread_mutex_lock(&lock);
    first_use = 1;
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void detached_threads(bool guilty)
{
    is_guilty = guilty;
    pthread_t thread = start(detached, NULL);
    if (guilty)
        pthread_detach(thread);
    else
        pthread_join(thread, NULL);
    pause_ms(30);
    pthread_mutex_lock(&lock);
    second_use = 1;
    pthread_mutex_unlock(&lock);
    leftover = 2;
}

const struct race_case hidden_cases[] = {
    {"lock-between", "outcome", lock_between},
    {"note-not-read", "letter", note_not_read},
    {"last-one-sums-up", "part", last_one_sums_up},
    {"different-locks-hidden", "account", different_locks},
    {"rwlock-between", "hits", rwlock_between},
    {"spin-between", "token", spin_between},
    {"through-a-third", "cargo", through_a_third},
    {"use-before-free", "use_before_free", use_before_free},
    {"lazy-settings", "settings", lazy_settings},
    {"item-touched-late", "shared_item", item_touched_late},
    {"semaphore-as-lock", "measure", semaphore_as_lock},
    {"signal-not-heard", "dish", signal_not_heard},
    {"c11-recursive", "ticket", c11_recursive},
    {"many-sections", "milestone", many_sections},
    {"copied-note", "attachment", copied_note},
    {"relaxed-flag-in-lock", "report", relaxed_flag_in_lock},
    {"guarded-on-one-side", "balance", guarded_on_one_side},
    {"detached-threads", "leftover", detached_threads},
    {0},
};
