/* Orders made by the synchronisation of the C library. */
#include <netinet/in.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <threads.h>
#include <unistd.h>

#include "races.h"

static bool is_guilty;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
KEPT volatile int seen;

/* A condition variable hands data over: its flag is guarded, the data are written before, or after.
 */
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
KEPT bool ready;
KEPT int parcel;

static void *hand_over(void *unused)
{
    (void)unused;
    if (!is_guilty)
        parcel = 1;
    pthread_mutex_lock(&lock);
    ready = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&lock);
    if (is_guilty)
        parcel = 1;
    return NULL;
}

static void *receive(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&condition, &lock);
    pthread_mutex_unlock(&lock);
    seen = parcel;
    return NULL;
}

static void condition_hand_over(bool guilty)
{
    is_guilty = guilty;
    run_apart(receive, hand_over, NULL);
}

/* Phases: each writes its own cell, then reads the other's; without the barrier between, a race. */
static pthread_barrier_t barrier;
KEPT int cell[2];

static void *phases(void *argument)
{
    long me = (long)argument;
    for (int i = 0; i < 5; i++) {
        cell[me] = i;
        if (!is_guilty)
            pthread_barrier_wait(&barrier);
        (void)*(volatile int *)&cell[1 - me];
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void barrier_phases(bool guilty)
{
    is_guilty = guilty;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t a = start(phases, (void *)0), b = start(phases, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

/* Who has left a round may write at once what the others must not touch any more: a slow one reads
 * it, in the next phase (innocent) or late in this one (guilty). */
KEPT int board;

static void *quick(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    board = 1;
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void *slow(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    pause_ms(5);
    if (is_guilty)
        seen = board;
    pthread_barrier_wait(&barrier);
    if (!is_guilty)
        seen = board;
    return NULL;
}

static void barrier_left_early(bool guilty)
{
    is_guilty = guilty;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t a = start(quick, NULL), b = start(slow, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static sem_t semaphore;
KEPT int item;

static void *post_item(void *unused)
{
    (void)unused;
    if (!is_guilty)
        item = 1;
    sem_post(&semaphore);
    if (is_guilty)
        item = 1;
    return NULL;
}

static void *wait_item(void *unused)
{
    (void)unused;
    while (sem_wait(&semaphore) != 0)
        ;
    seen = item;
    return NULL;
}

static void semaphores(bool guilty)
{
    is_guilty = guilty;
    sem_init(&semaphore, 0, 0);
    run_apart(post_item, wait_item, NULL);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
KEPT int document;

static void *edit(void *unused)
{
    (void)unused;
    if (is_guilty)
        pthread_rwlock_rdlock(&rwlock);
    else
        pthread_rwlock_wrlock(&rwlock);
    document++;
    pthread_rwlock_unlock(&rwlock);
    return NULL;
}

static void *read_document(void *unused)
{
    (void)unused;
    pthread_rwlock_rdlock(&rwlock);
    seen = document;
    pthread_rwlock_unlock(&rwlock);
    return NULL;
}

static void write_under_read_lock(bool guilty)
{
    is_guilty = guilty;
    run_apart(read_document, edit, NULL);
    run_apart(edit, read_document, NULL);
}

static pthread_spinlock_t spin;
KEPT int spun;

static void *under_spin(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_spin_lock(&spin);
    spun++;
    if (!is_guilty)
        pthread_spin_unlock(&spin);
    return NULL;
}

static void spin_lock(bool guilty)
{
    is_guilty = guilty;
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    run_apart(under_spin, under_spin, NULL);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
KEPT int settings;

static void set_up(void)
{
    settings = 1;
}

static void *use_settings(void *unused)
{
    (void)unused;
    if (is_guilty) {
        if (!settings)
            set_up();
    } else {
        pthread_once(&once, set_up);
    }
    seen += *(volatile int *)&settings;
    return NULL;
}

static void *use_settings_quietly(void *unused)
{
    (void)unused;
    if (!is_guilty)
        pthread_once(&once, set_up);
    (void)*(volatile int *)&settings;
    return NULL;
}

static void once_only(bool guilty)
{
    is_guilty = guilty;
    run_apart(use_settings, use_settings_quietly, NULL);
}

static mtx_t c11;
KEPT int c11_count;

static int c11_worker(void *unused)
{
    (void)unused;
    if (!is_guilty)
        mtx_lock(&c11);
    c11_count++;
    if (!is_guilty)
        mtx_unlock(&c11);
    return 0;
}

static void c11_threads(bool guilty)
{
    is_guilty = guilty;
    thrd_t a, b;
    mtx_init(&c11, mtx_plain);
    thrd_create(&a, c11_worker, NULL);
    thrd_create(&b, c11_worker, NULL);
    thrd_join(a, NULL);
    thrd_join(b, NULL);
}

/* A pipe carries order: what was written before the byte. */
KEPT int ends[2], piped;

static void *pipe_write(void *unused)
{
    (void)unused;
    if (!is_guilty)
        piped = 1;
    if (write(ends[1], "x", 1) != 1)
        return NULL;
    if (is_guilty)
        piped = 1;
    return NULL;
}

static void *pipe_read(void *unused)
{
    char byte;
    (void)unused;
    if (read(ends[0], &byte, 1) == 1)
        seen = piped;
    return NULL;
}

static void through_a_pipe(bool guilty)
{
    is_guilty = guilty;
    if (pipe(ends) != 0)
        return;
    run_apart(pipe_write, pipe_read, NULL);
}

/* So does a connection, both ways: the answer is read at the other end from where it was written.
 */
KEPT int answered;
static struct sockaddr_in server_at = {.sin_family = AF_INET};

static void *ask_server(void *unused)
{
    char byte;
    int client = socket(AF_INET, SOCK_STREAM, 0);
    (void)unused;
    if (connect(client, (const struct sockaddr *)&server_at, sizeof server_at) == 0 &&
        recv(client, &byte, 1, 0) == 1)
        answered++;
    close(client);
    return NULL;
}

static void through_a_connection(bool guilty)
{
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof server_at;
    server_at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listening, (const struct sockaddr *)&server_at, size) != 0 ||
        listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&server_at, &size) != 0)
        return;
    pthread_t client = start(ask_server, NULL);
    int served = accept(listening, NULL, NULL);
    if (!guilty)
        answered++;
    if (send(served, "x", 1, 0) == 1 && guilty)
        answered++;
    pthread_join(client, NULL);
    close(served);
    close(listening);
}

/* Try-lock: taken is taken, not taken is nothing. */
KEPT int tried;

static void *try_it(void *unused)
{
    (void)unused;
    while (pthread_mutex_trylock(&lock) != 0)
        if (is_guilty)
            break;
    tried++;
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
    return NULL;
}

static void try_lock(bool guilty)
{
    is_guilty = guilty;
    run_apart(try_it, try_it, NULL);
}

const struct race_case lock_cases[] = {
    {"condition-hand-over", "parcel", condition_hand_over},
    {"barrier-phases", "cell", barrier_phases},
    {"barrier-left-early", "board", barrier_left_early},
    {"semaphore", "item", semaphores},
    {"write-under-read-lock", "document", write_under_read_lock},
    {"spin-lock", "spun", spin_lock},
    {"once", "settings", once_only},
    {"c11-threads", "c11_count", c11_threads},
    {"through-a-pipe", "piped", through_a_pipe},
    {"through-a-connection", "answered", through_a_connection},
    {"try-lock", "tried", try_lock},
    {0},
};
