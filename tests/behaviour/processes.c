/* Children of every make: what they and their parents see. */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "case.h"

extern char **environ;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void use_lock(void)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
}

static int by_fork(void)
{
    use_lock();
    pid_t child = fork();
    if (child == 0) {
        use_lock();
        printf("parent is mine: %d\n", getppid() > 1);
        fflush(stdout);
        _exit(7);
    }
    use_lock();
    tell_end("child", child);
    return 3;
}

/* exit() in the child flushes what was buffered before the fork: twice the same line, as bare. */
static int buffered(void)
{
    printf("once before\n");
    pid_t child = fork();
    if (child == 0)
        exit(0);
    tell_end("child", child);
    return 0;
}

static void *fork_and_wait(void *unused)
{
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0) {
            use_lock();
            _exit(i);
        }
        int status;
        waitpid(child, &status, 0);
        if (WEXITSTATUS(status) != i)
            printf("wrong status\n");
    }
    return NULL;
}

/* Nobody holds `lock` at a fork: children use it. */
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static volatile bool stop;
static void *busy(void *unused)
{
    while (!stop) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
    return NULL;
}

static int fork_among_threads(void)
{
    pthread_t worker[2], forker;
    for (int i = 0; i < 2; i++)
        pthread_create(&worker[i], NULL, busy, NULL);
    pthread_create(&forker, NULL, fork_and_wait, NULL);
    pthread_join(forker, NULL);
    stop = true;
    for (int i = 0; i < 2; i++)
        pthread_join(worker[i], NULL);
    puts("done");
    return 0;
}

static void before(void)
{
    pthread_mutex_lock(&lock);
    puts("before");
    fflush(stdout);
}
static void in_parent(void)
{
    pthread_mutex_unlock(&lock);
}
static void in_child(void)
{
    tell("unlock in the child", pthread_mutex_unlock(&lock));
    tell("lock again", pthread_mutex_lock(&lock));
    tell("unlock again", pthread_mutex_unlock(&lock));
    fflush(stdout);
}

static int at_fork(void)
{
    pthread_atfork(before, in_parent, in_child);
    pid_t child = fork();
    if (child == 0)
        _exit(1);
    tell_end("child", child);
    tell("parent locks", pthread_mutex_lock(&lock));
    return 0;
}

static int vfork_exec(void)
{
    for (volatile int i = 0; i < 20; i++) {
        pid_t child = vfork();
        if (child == 0) {
            execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
            _exit(99);
        }
        int status;
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 5)
            puts("wrong status");
        use_lock();
    }
    puts("done");
    return 0;
}

static int vfork_exit(void)
{
    volatile int shared = 1;
    pid_t child = vfork();
    if (child == 0) {
        shared = 2;
        _exit(4);
    }
    printf("the child wrote %d\n", shared);
    tell_end("child", child);
    child = vfork();
    if (child == 0) {
        execl("/nonexistent", "x", (char *)NULL);
        _exit(errno == ENOENT ? 44 : 45);
    }
    tell_end("failed exec", child);
    use_lock();
    return 0;
}

static int raw_fork(void)
{
    use_lock();
    long child = syscall(SYS_fork);
    if (child == 0) {
        use_lock();
        _exit(9);
    }
    use_lock();
    tell_end("raw fork", (pid_t)child);
    child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        use_lock();
        _exit(10);
    }
    tell_end("raw clone", (pid_t)child);
    return 0;
}

static int raw_clone3(void)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        use_lock();
        _exit(11);
    }
    if (child < 0) {
        tell_call("clone3", child);
        return 0;
    }
    use_lock();
    tell_end("clone3", (pid_t)child);
    return 0;
}

static int cloned(void *argument)
{
    use_lock();
    *(volatile int *)argument = 5;
    return 6;
}

static char clone_stack[1 << 17] __attribute__((aligned(16)));

static int clone_process(void)
{
    static volatile int value = 1;
    pid_t child = clone(cloned, clone_stack + sizeof clone_stack, SIGCHLD, (void *)&value);
    tell_end("clone", child);
    printf("value %d\n", value);
    return 0;
}

static int clone_sharing(void)
{
    static volatile int value = 1;
    pid_t child = clone(cloned, clone_stack + sizeof clone_stack, CLONE_VM | CLONE_FILES | SIGCHLD,
                        (void *)&value);
    tell_end("clone with CLONE_VM", child);
    printf("value %d\n", value);
    child = clone(cloned, clone_stack + sizeof clone_stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
                  (void *)&value);
    tell_end("clone with CLONE_VFORK", child);
    use_lock();
    return 0;
}

static int spawn(void)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "spawned.txt", O_WRONLY | O_CREAT, 0644);
    posix_spawn_file_actions_addclose(&actions, 0);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    char *words[] = {"sh", "-c", "echo spawned; ls /proc/self/fd | wc -l; exit 8", NULL};
    pid_t child;
    tell("posix_spawn", posix_spawn(&child, "/bin/sh", &actions, NULL, words, environ));
    tell_end("child", child);
    tell("posix_spawnp", posix_spawnp(NULL, "true", NULL, NULL, (char *[]){"true", NULL}, environ));
    tell_end("any", wait(NULL) > 0 ? 0 : 0);
    tell("missing", posix_spawn(&child, "/nonexistent", NULL, NULL, words, environ));
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    char *kills[] = {"sh", "-c", "kill -TERM $$", NULL};
    tell("with attributes", posix_spawn(&child, "/bin/sh", NULL, &attributes, kills, environ));
    tell_end("killed", child);
    FILE *file = fopen("spawned.txt", "r");
    char line[100];
    while (file && fgets(line, sizeof line, file))
        fputs(line, stdout);
    return 0;
}

static int by_system(void)
{
    printf("system: %d\n", system("echo from the shell; exit 3"));
    printf("no command: %d\n", system(NULL) != 0);
    printf("killed: %d\n", system("kill -KILL $$"));
    fflush(stdout);
    printf("environment: %d\n", system("test -z \"$LD_PRELOAD$REEL_REGION$REEL_FDS\""));
    printf("ours: %d\n", getenv("LD_PRELOAD") == NULL && getenv("REEL_REGION") == NULL);
    return 0;
}

static int by_popen(void)
{
    char line[100];
    FILE *pipe = popen("echo one; echo two; exit 6", "r");
    while (fgets(line, sizeof line, pipe))
        fputs(line, stdout);
    printf("closed: %d\n", pclose(pipe));
    fflush(stdout);
    pipe = popen("cat", "w");
    fputs("through cat\n", pipe);
    printf("closed: %d\n", pclose(pipe));
    return 0;
}

static int double_fork(void)
{
    int ends[2];
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            sleep_ms(20);
            use_lock();
            write(ends[1], "orphan\n", 7);
            _exit(0);
        }
        _exit(0);
    }
    tell_end("first child", child);
    close(ends[1]);
    char text[100];
    ssize_t got = read(ends[0], text, sizeof text);
    printf("%.*s", (int)got, text);
    printf("then %zd\n", read(ends[0], text, sizeof text));
    return 0;
}

static int by_daemon(void)
{
    int ends[2];
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        if (daemon(1, 1) != 0)
            _exit(1);
        use_lock();
        write(ends[1], "daemon\n", 7);
        _exit(0);
    }
    tell_end("its parent", child);
    close(ends[1]);
    char text[100];
    ssize_t got = read(ends[0], text, sizeof text);
    printf("%.*s", (int)got, text);
    return 0;
}

static int statuses(void)
{
    int status;
    tell_call("wait without children", wait(&status));
    tell_call("wait for a stranger", waitpid(1, &status, 0));
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(2);
    }
    waitpid(child, &status, WUNTRACED);
    printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
    tell_call("nothing new", waitpid(child, &status, WNOHANG));
    kill(child, SIGCONT);
    siginfo_t info = {0};
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    printf("code %d status %d is the child %d\n", info.si_code, info.si_status,
           info.si_pid == child);
    tell_end("child", child);
    child = fork();
    if (child == 0)
        abort();
    tell_end("aborted", child);
    child = fork();
    if (child == 0) {
        *(volatile int *)1 = 0;
        _exit(0);
    }
    tell_end("segv", child);
    signal(SIGCHLD, SIG_IGN);
    if (fork() == 0)
        _exit(0);
    tell_call("ignored", waitpid(-1, &status, 0));
    return 0;
}

static int storm(void)
{
    int sum = 0;
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0) {
            use_lock();
            _exit(i & 63);
        }
        if (i % 8 == 7)
            for (int status; waitpid(-1, &status, i % 16 == 15 ? 0 : WNOHANG) > 0;)
                sum += WEXITSTATUS(status);
    }
    for (int status; wait(&status) > 0;)
        sum += WEXITSTATUS(status);
    printf("sum %d\n", sum);
    return 0;
}

BEHAVIOURS({"fork", by_fork}, {"buffered", buffered}, {"fork-among-threads", fork_among_threads},
           {"atfork", at_fork}, {"vfork-exec", vfork_exec}, {"vfork-exit", vfork_exit},
           {"raw-fork", raw_fork}, {"raw-clone3", raw_clone3}, {"clone-process", clone_process},
           {"clone-sharing", clone_sharing}, {"spawn", spawn}, {"system", by_system},
           {"popen", by_popen}, {"double-fork", double_fork}, {"daemon", by_daemon},
           {"statuses", statuses}, {"storm", storm});
