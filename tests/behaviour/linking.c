/* Dynamic linking as a program uses it: dlopen by every kind of name, look-ups past itself and of
 * what is not there, libraries that start threads. */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include "case.h"

/* Built beside this program, which finds it by its run path: $ORIGIN. */
#define LIBRARY "libbehaviour-module.so"

static int by_run_path(void)
{
    for (int i = 0; i < 20; i++) {
        void *module = dlopen(LIBRARY, RTLD_NOW);
        if (!module) {
            printf("not found: %d\n", dlerror() != NULL);
            return 1;
        }
        int (*value)(void) = (int (*)(void))dlsym(module, "module_value");
        if (i % 10 == 0)
            printf("value %d\n", value ? value() : -1);
        if (dlclose(module) != 0)
            puts("dlclose failed");
    }
    return 0;
}

static int missing(void)
{
    printf("missing %d\n", dlopen("no-such-library.so", RTLD_LAZY) == NULL);
    printf("%s\n", dlerror());
    printf("again %d\n", dlerror() == NULL);
    printf("the program itself %d\n", dlopen(NULL, RTLD_LAZY) != NULL);
    printf("no such symbol %d\n", dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") == NULL);
    printf("message %d\n", dlerror() != NULL);
    return 0;
}

static int past_myself(void)
{
    static const char *const names[] = {
        "pthread_mutex_lock", "pthread_create", "read", "fork", "dlopen", "nanosleep", "execve"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s %d %d\n", names[i], dlsym(RTLD_NEXT, names[i]) != NULL,
               dlsym(RTLD_DEFAULT, names[i]) != NULL);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    int (*lock)(pthread_mutex_t *) = dlsym(RTLD_NEXT, "pthread_mutex_lock");
    int (*unlock)(pthread_mutex_t *) = dlsym(RTLD_DEFAULT, "pthread_mutex_unlock");
    tell("lock", lock(&mutex));
    tell("try", pthread_mutex_trylock(&mutex));
    tell("unlock", unlock(&mutex));
    void *library = dlopen("libc.so.6", RTLD_NOLOAD | RTLD_LAZY);
    lock = dlsym(library, "pthread_mutex_lock");
    tell("the C library's own", lock(&mutex));
    tell("unlock", pthread_mutex_unlock(&mutex));
    printf("old version %d\n", dlvsym(RTLD_DEFAULT, "pthread_cond_wait", "GLIBC_2.2.5") != NULL);
    printf("new version %d\n", dlvsym(RTLD_DEFAULT, "pthread_cond_wait", "GLIBC_2.3.2") != NULL);
    /* A library that the program does not use is not there. */
    printf("GLib %d\n", dlsym(RTLD_DEFAULT, "g_thread_new") != NULL);
    return 0;
}

/* A program with a function of the C library's name of its own. */
static int calls;
ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, void *address, void *length)
{
    calls++;
    errno = ENOSYS;
    return -1;
}

static int own_function(void)
{
    char byte;
    tell_call("mine", recvfrom(0, &byte, 1, 0, NULL, NULL));
    printf("calls %d\n", calls);
    return 0;
}

/* An allocator of the program's own, with a lock: it is called before anything else is ready. */
static char pool[16 << 20] __attribute__((aligned(16)));
static size_t used;
static pthread_mutex_t of_pool = PTHREAD_MUTEX_INITIALIZER;

void *malloc(size_t size)
{
    pthread_mutex_lock(&of_pool);
    used = (used + 31) & ~(size_t)15;
    void *block = used + size <= sizeof pool ? pool + used : NULL;
    if (block) {
        ((size_t *)block)[-1] = size;
        used += size;
    }
    pthread_mutex_unlock(&of_pool);
    return block;
}

void *calloc(size_t count, size_t size)
{
    void *block = malloc(count * size);
    return block ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *old, size_t size)
{
    void *block = malloc(size);
    if (block && old) {
        size_t before = ((size_t *)old)[-1];
        memcpy(block, old, before < size ? before : size);
    }
    return block;
}

void free(void *block)
{
    (void)block;
}

static int own_allocator(void)
{
    char *text = strdup("from the pool");
    printf("%s %d\n", text, text > pool && text < pool + sizeof pool);
    return 0;
}

static void *load(void *unused)
{
    for (int i = 0; i < 50; i++) {
        void *module = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
        if (!module || dlclose(module))
            puts("failed");
    }
    return NULL;
}

static int from_threads(void)
{
    pthread_t thread[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&thread[i], NULL, load, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
    puts("done");
    return 0;
}

BEHAVIOURS({"run-path", by_run_path}, {"missing", missing}, {"past-myself", past_myself},
           {"own-function", own_function}, {"own-allocator", own_allocator},
           {"from-threads", from_threads});
