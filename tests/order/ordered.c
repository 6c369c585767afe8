/* A program that numbers its critical sections itself.
 *   ordered FILE KIND WORKERS SECTIONS
 * KIND: mutex spin rwlock (threads), shared-mutex shared-spin shared-rwlock (processes). */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/order/ordered.h"

static struct ordered *page;
static const char *kind;
static uint32_t wanted;

static void lock(bool reading)
{
    if (*kind == 'm')
        pthread_mutex_lock(&page->mutex);
    else if (*kind == 's')
        pthread_spin_lock(&page->spin);
    else if (reading)
        pthread_rwlock_rdlock(&page->rwlock);
    else
        pthread_rwlock_wrlock(&page->rwlock);
}

static void unlock(void)
{
    if (*kind == 'm')
        pthread_mutex_unlock(&page->mutex);
    else if (*kind == 's')
        pthread_spin_unlock(&page->spin);
    else
        pthread_rwlock_unlock(&page->rwlock);
}

static void *work(void *unused)
{
    (void)unused;
    int32_t self = gettid();
    for (uint32_t i = 0; i < wanted; i++) {
        if (*kind == 'r' && i % 3 == 0) {
            lock(true);
            unlock();
        }
        lock(false);
        page->holder[page->sections++] = self;
        unlock();
    }
    return NULL;
}

static void make_lock(bool shared)
{
    if (*kind == 'm') {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_setpshared(&attributes, shared);
        pthread_mutex_init(&page->mutex, &attributes);
    } else if (*kind == 's') {
        pthread_spin_init(&page->spin, shared);
    } else {
        pthread_rwlockattr_t attributes;
        pthread_rwlockattr_init(&attributes);
        pthread_rwlockattr_setpshared(&attributes, shared);
        pthread_rwlock_init(&page->rwlock, &attributes);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int fd = open(argv[1], O_RDWR);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        return 3;
    page = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return 3;
    close(fd);
    kind = argv[2];
    bool shared = strncmp(kind, "shared-", 7) == 0;
    kind += shared ? 7 : 0;
    int workers = atoi(argv[3]);
    wanted = (uint32_t)strtoul(argv[4], NULL, 10);
    make_lock(shared);
    if (shared) {
        for (int i = 0; i < workers; i++)
            if (fork() == 0) {
                work(NULL);
                _exit(0);
            }
        while (wait(NULL) > 0)
            ;
        return 0;
    }
    pthread_t thread[64];
    for (int i = 0; i < workers && i < 64; i++)
        pthread_create(&thread[i], NULL, work, NULL);
    for (int i = 0; i < workers && i < 64; i++)
        pthread_join(thread[i], NULL);
    return 0;
}
