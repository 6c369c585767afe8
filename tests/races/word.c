/* How threads get word of one another without a lock's help: who waits for the word, and then takes
 * the lock behind the other, is behind it in every run (innocent). Who does not look only happens
 * to be (guilty). */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "races.h"

static bool is_guilty;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
KEPT volatile int seen;
static int ends[2];

static void pass_through(void)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

/* A text, which compilers like to copy and to compare on their own. */
KEPT char note[16];
KEPT int parcel;

static void *leave_note(void *unused)
{
    (void)unused;
    parcel = 1;
    pthread_mutex_lock(&lock);
    strcpy(note, "ok");
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void *find_note(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    bool there = is_guilty || (strcmp(note, "ok") == 0 && strlen(note) == 2);
    pthread_mutex_unlock(&lock);
    if (there)
        seen = parcel;
    return NULL;
}

static void text_note(bool guilty)
{
    is_guilty = guilty;
    run_after(leave_note, find_note);
}

/* A pipe that ends, before or after the lock is taken. */
KEPT int harvest;
static bool looks_first;

static void *close_pipe(void *unused)
{
    (void)unused;
    harvest = 1;
    pass_through();
    close(ends[1]);
    return NULL;
}

static void *read_to_end(void *unused)
{
    (void)unused;
    char byte;
    if (!looks_first)
        pass_through();
    while (!is_guilty && read(ends[0], &byte, 1) > 0)
        ;
    if (looks_first)
        pass_through();
    seen = harvest;
    return NULL;
}

static void pipe_ends(bool guilty)
{
    is_guilty = guilty;
    if (pipe(ends) == 0)
        run_after(close_pipe, read_to_end);
}

static void pipe_ends_before_lock(bool guilty)
{
    looks_first = true;
    pipe_ends(guilty);
}

/* Something to be read, which nobody reads. */
KEPT int mail;

static void *write_byte(void *unused)
{
    (void)unused;
    mail = 1;
    pass_through();
    return write(ends[1], "", 1) == 1 ? NULL : (void *)&mail;
}

static void *poll_byte(void *unused)
{
    (void)unused;
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    if (!is_guilty)
        poll(&end, 1, -1);
    pass_through();
    seen = mail;
    return NULL;
}

static void polled_pipe(bool guilty)
{
    is_guilty = guilty;
    if (pipe(ends) == 0)
        run_after(write_byte, poll_byte);
}

/* A signal, or a cancellation, sent to the other thread. */
KEPT int order;
static volatile sig_atomic_t got;
static pthread_t receiver;
static bool cancels;

static void handle(int number)
{
    got = number;
}

static void take_order(void *unused)
{
    (void)unused;
    pass_through();
    seen = order;
}

static void *wait_for_word(void *unused)
{
    pthread_cleanup_push(take_order, unused);
    for (int i = 0; is_guilty ? i < 30 : !got; i++)
        usleep(1000);
    pthread_cleanup_pop(1);
    return NULL;
}

static void *send_word(void *unused)
{
    (void)unused;
    order = 1;
    pass_through();
    if (is_guilty)
        return NULL;
    if (cancels)
        pthread_cancel(receiver);
    else
        pthread_kill(receiver, SIGUSR1);
    return NULL;
}

static void signalled(bool guilty)
{
    is_guilty = guilty;
    signal(SIGUSR1, handle);
    receiver = start(wait_for_word, NULL);
    pthread_t sender = start(send_word, NULL);
    pthread_join(sender, NULL);
    pthread_join(receiver, NULL);
}

static void cancelled(bool guilty)
{
    cancels = true;
    signalled(guilty);
}

const struct race_case word_cases[] = {
    {"text-note", "parcel", text_note},
    {"pipe-ends", "harvest", pipe_ends},
    {"pipe-ends-before-lock", "harvest", pipe_ends_before_lock},
    {"polled-pipe", "mail", polled_pipe},
    {"signalled", "order", signalled},
    {"cancelled", "order", cancelled},
    {0},
};
