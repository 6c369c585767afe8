/* Threads: their number, their stacks, their ends. */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "case.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *add(void *amount)
{
    pthread_mutex_lock(&mutex);
    sum += (long)amount;
    pthread_mutex_unlock(&mutex);
    return amount;
}

static void *small_work(void *amount)
{
    struct timespec moment = {0, 1000};
    char text[64];
    int ends[2];
    add(amount);
    nanosleep(&moment, NULL);
    pthread_setname_np(pthread_self(), "small");
    pipe(ends);
    (void)write(ends[1], "x", 1);
    (void)read(ends[0], text, 1);
    close(ends[0]);
    close(ends[1]);
    return amount;
}

static int small_stacks(void)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    tell("16 KiB", pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN));
    for (int round = 0; round < 50; round++) {
        pthread_t thread[8];
        for (long i = 0; i < 8; i++)
            pthread_create(&thread[i], &attributes, small_work, (void *)i);
        for (int i = 0; i < 8; i++)
            pthread_join(thread[i], NULL);
    }
    printf("sum %ld\n", sum);
    return 0;
}

static sem_t all_there;
static void *stay(void *amount)
{
    add(amount);
    sem_wait(&all_there);
    return NULL;
}

static int many(void)
{
    static pthread_t thread[2000];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    sem_init(&all_there, 0, 0);
    int made = 0;
    while (made < 2000 && pthread_create(&thread[made], &attributes, stay, (void *)1l) == 0)
        made++;
    for (int i = 0; i < made; i++)
        sem_post(&all_there);
    for (int i = 0; i < made; i++)
        pthread_join(thread[i], NULL);
    printf("made %d, sum %ld\n", made, sum);
    return 0;
}

static void *later(void *unused)
{
    sleep_ms(20);
    add((void *)5l);
    printf("after main, sum %ld\n", sum);
    exit(31);
}

static int main_leaves(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, later, NULL);
    pthread_detach(thread);
    pthread_exit(NULL);
}

static pthread_key_t keys[3];
static int destroyed;
static void destroy(void *value)
{
    add(value);
    destroyed++;
    /* Until the last round that there is. */
    if (value == (void *)3l)
        pthread_setspecific(keys[2], value);
}
static __thread long counter;
static void *use_keys(void *unused)
{
    counter = 3;
    for (long i = 0; i < 3; i++)
        pthread_setspecific(keys[i], (void *)(i + 1));
    return NULL;
}

static int destructors(void)
{
    for (int i = 0; i < 3; i++)
        pthread_key_create(&keys[i], destroy);
    pthread_t thread;
    pthread_create(&thread, NULL, use_keys, NULL);
    pthread_join(thread, NULL);
    printf("destroyed %d, sum %ld\n", destroyed, sum);
    return 0;
}

static int all_keys(void)
{
    int made = 0;
    pthread_key_t key;
    while (pthread_key_create(&key, destroy) == 0)
        made++;
    /* How many, the C library and what is loaded decide; a program may count on the limit less
     * what the system itself takes. */
    printf("all of them: %d\n", made >= PTHREAD_KEYS_MAX - 8);
    printf("%d\n", made);
    pthread_t thread;
    pthread_create(&thread, NULL, add, (void *)2l);
    pthread_join(thread, NULL);
    printf("sum %ld\n", sum);
    return 0;
}

static int tasks(void)
{
    for (int round = 0; round < 2; round++) {
        int count = 0;
        DIR *folder = opendir("/proc/self/task");
        for (struct dirent *entry; (entry = readdir(folder));)
            count += entry->d_name[0] != '.';
        closedir(folder);
        printf("tasks %d\n", count);
        pthread_t thread;
        pthread_create(&thread, NULL, add, NULL);
        pthread_join(thread, NULL);
    }
    return 0;
}

static void *named(void *unused)
{
    char name[16];
    pthread_getname_np(pthread_self(), name, sizeof name);
    printf("inherited %d\n", name[0] != '\0');
    tell("too long", pthread_setname_np(pthread_self(), "a name that is too long"));
    tell("set", pthread_setname_np(pthread_self(), "worker"));
    tell_call("prctl", prctl(PR_SET_NAME, "by prctl, which cuts it"));
    pthread_getname_np(pthread_self(), name, sizeof name);
    printf("%s\n", name);
    return NULL;
}

static int names(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, named, NULL);
    pthread_join(thread, NULL);
    return 0;
}

static void *give_back(void *value)
{
    return value;
}
static void *leave(void *value)
{
    pthread_exit(value);
}
static void *tell_attributes(void *unused)
{
    pthread_attr_t attributes;
    size_t size;
    void *stack;
    int state;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &stack, &size);
    pthread_attr_getdetachstate(&attributes, &state);
    printf("stack %zu, state %d\n", size, state);
    return NULL;
}

static int joins(void)
{
    pthread_t thread;
    void *value;
    struct timespec past = {0, 0};
    pthread_create(&thread, NULL, give_back, (void *)7l);
    pthread_join(thread, &value);
    printf("returned %ld\n", (long)value);
    pthread_create(&thread, NULL, leave, (void *)8l);
    pthread_join(thread, &value);
    printf("left with %ld\n", (long)value);
    tell("join myself", pthread_join(pthread_self(), NULL));
    sem_init(&all_there, 0, 0);
    pthread_create(&thread, NULL, stay, NULL);
    tell("try", pthread_tryjoin_np(thread, NULL));
    tell("timed", pthread_timedjoin_np(thread, NULL, &past));
    tell("clock", pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &past));
    sem_post(&all_there);
    tell("join", pthread_join(thread, NULL));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 262144);
    pthread_create(&thread, &attributes, tell_attributes, NULL);
    pthread_join(thread, NULL);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_create(&thread, &attributes, stay, NULL);
    tell("join a detached one", pthread_join(thread, NULL));
    tell("detach it", pthread_detach(thread));
    return 0;
}

static void first(void)
{
    pthread_mutex_lock(&mutex);
    puts("first registered, last to run");
    pthread_mutex_unlock(&mutex);
}
static void second(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, add, (void *)1l);
    pthread_join(thread, NULL);
    printf("second, a thread even now: %ld\n", sum);
}
__attribute__((destructor)) static void destructor(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    if (program && sum == 1)
        puts("the destructor, after both");
}

static int exit_order(void)
{
    atexit(first);
    atexit(second);
    return 14;
}

static int too_many(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 46);
    pthread_t thread;
    for (int i = 0; i < 100; i++)
        if (pthread_create(&thread, &attributes, add, NULL) != EAGAIN)
            puts("unexpected");
    pthread_create(&thread, NULL, add, (void *)4l);
    pthread_join(thread, NULL);
    printf("sum %ld\n", sum);
    return 0;
}

static sem_t expired;
static void on_timer(union sigval value)
{
    add((void *)1l);
    sem_post(&expired);
}

static int timers(void)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer};
    struct itimerspec soon = {{0, 1000000}, {0, 1000000}};
    sem_init(&expired, 0, 0);
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &soon, NULL);
    for (int i = 0; i < 5; i++)
        while (sem_wait(&expired) != 0)
            ;
    timer_delete(timer);
    printf("sum %d\n", sum >= 5);
    return 0;
}

static void *in_place(void *unused)
{
    add((void *)1l);
    return NULL;
}

static int own_stacks(void)
{
    static char stack[2][65536] __attribute__((aligned(4096)));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        pthread_attr_setstack(&attributes, stack[i & 1], sizeof stack[0]);
        pthread_create(&thread, &attributes, in_place, NULL);
        pthread_join(thread, NULL);
    }
    printf("sum %ld\n", sum);
    return 0;
}

BEHAVIOURS({"small-stacks", small_stacks}, {"many", many}, {"main-leaves", main_leaves},
           {"destructors", destructors}, {"all-keys", all_keys}, {"tasks", tasks}, {"names", names},
           {"joins", joins}, {"exit-order", exit_order}, {"too-many", too_many}, {"timers", timers},
           {"own-stacks", own_stacks});
