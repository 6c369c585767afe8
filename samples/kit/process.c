/* Child processes and shared memory: see process.h. */
#include "process.h"

#include "check.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t process_start(int (*routine)(void *argument), void *argument, const char *name)
{
    fflush(stdout);
    pid_t parent = getpid();
    pid_t child = (pid_t)CHECK_SYSTEM(fork());
    if (child != 0)
        return child;
    /* Who kills a sample, as one must kill those that hang, kills its children with it. */
    CHECK_SYSTEM(prctl(PR_SET_PDEATHSIG, SIGKILL));
    if (getppid() != parent)
        exit(1);
    pthread_setname_np(pthread_self(), name);
    exit(routine(argument));
}

int process_wait(pid_t child)
{
    int status;
    CHECK_SYSTEM(waitpid(child, &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void *process_shared_new(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK_TRUE(memory != MAP_FAILED);
    return memory;
}

void process_shared_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    CHECK(pthread_mutexattr_init(&attributes));
    CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    CHECK(pthread_mutex_init(mutex, &attributes));
    CHECK(pthread_mutexattr_destroy(&attributes));
}

void process_write(int descriptor, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;)
        done += (size_t)CHECK_SYSTEM(write(descriptor, (const char *)data + done, bytes - done));
}

size_t process_read(int descriptor, void *data, size_t bytes)
{
    size_t done = 0;
    while (done < bytes) {
        size_t got = (size_t)CHECK_SYSTEM(read(descriptor, (char *)data + done, bytes - done));
        if (got == 0)
            break;
        done += got;
    }
    return done;
}
