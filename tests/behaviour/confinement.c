/* Programs that lock themselves in: seccomp, chroot, other users, limits. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "case.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void use_locks(int times)
{
    for (int i = 0; i < times; i++) {
        pthread_mutex_lock(&mutex);
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
        pthread_mutex_unlock(&mutex);
    }
}

static int seccomp_strict(void)
{
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        use_locks(20000);
        write(1, "inside\n", 7);
        syscall(SYS_exit, 3);
    }
    tell_end("strict", child);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        getppid();
        syscall(SYS_exit, 3);
    }
    tell_end("forbidden call", child);
    return 0;
}

#define ALLOW(name)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool filter(void)
{
    struct sock_filter program_of_filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(write),
        ALLOW(futex),
        ALLOW(exit),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog filter_program = {sizeof program_of_filter / sizeof *program_of_filter,
                                        program_of_filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                   &filter_program) == 0;
}

static volatile bool go, locked;
static void *contend(void *unused)
{
    locked = true;
    while (!go)
        ;
    use_locks(20000);
    /* The end of a thread takes more calls than are allowed: the process ends it. */
    for (;;)
        ;
    return NULL;
}

/* Writing, futexes and leaving are all that is allowed, to all threads: locks work on, also when
 * they block and buffers fill. */
static int seccomp_filter(void)
{
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, contend, NULL);
        while (!locked)
            ;
        if (!filter())
            _exit(SKIP);
        go = true;
        use_locks(20000);
        write(1, "inside\n", 7);
        _exit(4);
    }
    tell_end("filtered", child);
    child = fork();
    if (child == 0) {
        filter();
        getppid();
        _exit(0);
    }
    tell_end("forbidden call", child);
    return 0;
}

static int change_root(void)
{
    if (geteuid() != 0)
        return SKIP;
    mkdir("jail", 0755);
    pid_t child = fork();
    if (child == 0) {
        tell_call("chroot", chroot("jail"));
        chdir("/");
        use_locks(5000);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            use_locks(5000);
            _exit(6);
        }
        tell_end("grandchild", grandchild);
        tell_call("open", open("/proc/self/fd", O_RDONLY));
        char *words[] = {"sh", NULL};
        tell_call("exec", execv("/bin/sh", words));
        fflush(stdout);
        _exit(5);
    }
    tell_end("child", child);
    return 0;
}

/* A program started inside the jail: neither library nor region can be reached there. */
static int exec_in_jail(void)
{
    if (geteuid() != 0 || access("/usr/bin/busybox", X_OK) == 0)
        return SKIP;
    pid_t child = fork();
    if (child == 0) {
        mkdir("jail", 0755);
        static const char *const folders[] = {"jail/usr", "jail/lib", "jail/lib64", "jail/bin"};
        static const char *const sources[] = {"/usr", "/lib", "/lib64", "/bin"};
        if (syscall(SYS_unshare, 0x00020000) != 0)
            _exit(SKIP);
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
        for (int i = 0; i < 4; i++) {
            mkdir(folders[i], 0755);
            if (mount(sources[i], folders[i], NULL, MS_BIND | MS_REC, NULL) != 0)
                _exit(SKIP);
        }
        if (chroot("jail") != 0 || chdir("/") != 0)
            _exit(SKIP);
        execl("/bin/sh", "sh", "-c", "echo in jail $LD_PRELOAD $REEL_REGION; exit 3", (char *)NULL);
        _exit(99);
    }
    int status;
    waitpid(child, &status, 0);
    printf("exited %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status) == SKIP ? SKIP : 0;
}

static int drop_privileges(void)
{
    if (geteuid() != 0)
        return SKIP;
    pid_t child = fork();
    if (child == 0) {
        tell_call("setgid", setgid(65534));
        tell_call("setuid", setuid(65534));
        use_locks(5000);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            use_locks(5000);
            _exit(6);
        }
        tell_end("grandchild", grandchild);
        printf("system %d\n", system("exit 9"));
        tell_call("core of another", open("/proc/1/environ", O_RDONLY));
        fflush(stdout);
        execl("/bin/sh", "sh", "-c", "echo as $(id -u); exit 7", (char *)NULL);
        _exit(99);
    }
    tell_end("child", child);
    return 0;
}

static void *set_user(void *unused)
{
    tell_call("setuid of all threads", setuid(65534));
    return NULL;
}

static int threads_change_user(void)
{
    if (geteuid() != 0)
        return SKIP;
    pthread_t thread;
    pthread_create(&thread, NULL, set_user, NULL);
    pthread_join(thread, NULL);
    printf("user %d\n", (int)geteuid());
    use_locks(1000);
    return 0;
}

/* A copy of this program that runs with another user's rights: the loader ignores what is
 * preloaded. */
static int set_user_id(void)
{
    if (geteuid() != 0)
        return SKIP;
    char command[1000];
    snprintf(command, sizeof command, "cp %s copy", program);
    if (system(command) != 0 || chown("copy", 65534, 65534) != 0 || chmod("copy", 04755) != 0)
        return SKIP;
    fflush(stdout);
    execl("./copy", "copy", "ids", (char *)NULL);
    return 1;
}

static int ids(void)
{
    printf("effective %d, preload %s\n", (int)geteuid(),
           getenv("LD_PRELOAD") ? "visible" : "not visible");
    return 15;
}

static int little_memory(void)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    setrlimit(RLIMIT_DATA, &limit);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_FSIZE, &none);
    setrlimit(RLIMIT_MEMLOCK, &none);
    use_locks(50000);
    signal(SIGXFSZ, SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        use_locks(100);
        _exit(2);
    }
    tell_end("child", child);
    return 0;
}

static int not_dumpable(void)
{
    prctl(PR_SET_DUMPABLE, 0);
    use_locks(1000);
    printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
    return 0;
}

BEHAVIOURS({"seccomp-strict", seccomp_strict}, {"seccomp-filter", seccomp_filter},
           {"chroot", change_root}, {"exec-in-jail", exec_in_jail},
           {"drop-privileges", drop_privileges}, {"threads-change-user", threads_change_user},
           {"set-user-id", set_user_id}, {"ids", ids}, {"little-memory", little_memory},
           {"not-dumpable", not_dumpable});
