/* Processes: fork, vfork, spawn, system, popen, wait, signals sent and waited for. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "probes/preload/environment_swap.h"
#include "probes/preload/exec.h"
#include "probes/preload/io.h"
#include "probes/preload/probe.h"
#include "probes/preload/stack.h"

#define PROCESS(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_PROCESS, 0)

static void making(struct reel_tls *tls, uint32_t call, uint32_t stack)
{
    reel_emit(tls, PROCESS(CREATE), 0, 0, call, stack);
}

/* `child`: its pid, or -1. */
static void made(struct reel_tls *tls, pid_t child, int error, uint32_t call)
{
    uint64_t word = call;
    reel_emit_words(tls, PROCESS(CREATED), child > 0 ? (uint64_t)child : 0, 0, (uint32_t)error, 0,
                    &word, 1);
}

static pid_t fork_with(pid_t (*real)(void), void *frame)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls)
        making(tls, REEL_CALL_FORK, reel_stack_from(tls, frame));
    uint32_t number = reel_probe.process ? reel_probe.process->number : 0;
    pid_t child = real();
    if (child == 0) {
        if (reel_probe.region && !reel_fork_page.attached)
            reel_attach_forked(number);
        return 0;
    }
    if (tls) {
        int saved = errno;
        made(tls, child, child < 0 ? saved : 0, REEL_CALL_FORK);
        errno = saved;
    }
    return child;
}

REEL_INTERPOSE
pid_t fork(void)
{
    if (REEL_UNLIKELY(!reel_real.fork))
        reel_initialise();
    return fork_with(reel_real.fork, __builtin_frame_address(0));
}

REEL_INTERPOSE
pid_t _Fork(void)
{
    if (REEL_UNLIKELY(!reel_real._Fork))
        reel_initialise();
    return fork_with(reel_real._Fork, __builtin_frame_address(0));
}

/* vfork: the child runs on our stack and in our memory, thread-local state included, until it execs
 * or exits. It must leave no trace there: its wrappers pass everything through (but exec, which
 * takes the recording along). The call is made here, in assembly, because its frame returns twice:
 * the return address is kept in a register across it, as in every vfork. */
__attribute__((used, visibility("hidden"))) void reel_vfork_enter(void *frame)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls)
        making(tls, REEL_CALL_VFORK, reel_stack_from(tls, frame));
}

__attribute__((used, visibility("hidden"))) long reel_vfork_leave(long result)
{
    struct reel_tls *tls = &reel_tls;
    if (result == 0) {
        tls->inside++;
        tls->vforked++;
        return 0;
    }
    if (tls->vforked) {
        tls->vforked--;
        tls->inside--;
    }
    if (reel_enter(REEL_FAMILY_PROCESS))
        made(tls, result > 0 ? (pid_t)result : -1, result < 0 ? (int)-result : 0, REEL_CALL_VFORK);
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl vfork\n"
        ".type vfork, @function\n"
        "vfork:\n"
        "    .cfi_startproc\n"
        "    endbr64\n"
        "    push %rbp\n    .cfi_adjust_cfa_offset 8\n"
        "    mov %rsp, %rdi\n" /* looks like a frame: saved frame pointer, return address */
        "    call reel_vfork_enter\n"
        "    pop %rbp\n    .cfi_adjust_cfa_offset -8\n"
        "    pop %rdi\n    .cfi_adjust_cfa_offset -8\n    .cfi_register %rip, %rdi\n"
        "    mov $58, %eax\n"
        "    syscall\n"
        "    push %rdi\n    .cfi_adjust_cfa_offset 8\n    .cfi_offset %rip, -8\n"
        "    mov %rax, %rdi\n"
        "    sub $8, %rsp\n    .cfi_adjust_cfa_offset 8\n"
        "    call reel_vfork_leave\n"
        "    add $8, %rsp\n    .cfi_adjust_cfa_offset -8\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size vfork, .-vfork\n");
#endif

/* A thread made by clone() without storage of its own shares ours: neither may record. */
REEL_INTERPOSE
int clone(int (*routine)(void *), void *stack, int flags, void *argument, ...)
{
    va_list arguments;
    va_start(arguments, argument);
    void *parent_tid = va_arg(arguments, void *);
    void *tls_block = va_arg(arguments, void *);
    void *child_tid = va_arg(arguments, void *);
    va_end(arguments);
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    bool shares = (flags & CLONE_VM) && !(flags & CLONE_SETTLS);
    if (tls) {
        making(tls, REEL_CALL_CLONE, reel_stack_here(tls));
        if (shares) {
            uint64_t words[2] = {0, reel_now()};
            reel_emit_words(tls, REEL_KIND(REEL_OP_GAP, REEL_CLASS_RECORDER, 0), 0, 0, 0, 0, words,
                            2);
            tls->inside++;
        }
    }
    int child = reel_real.clone(routine, stack, flags, argument, parent_tid, tls_block, child_tid);
    int saved = errno;
    if (tls && shares && (child < 0 || (flags & CLONE_VFORK))) /* nobody else uses it (any more) */
        tls->inside--;
    if (tls)
        made(tls, child, child < 0 ? saved : 0, REEL_CALL_CLONE);
    errno = saved;
    return child;
}

/* Waiting for children. */
struct child_wait {
    struct reel_tls *tls;
    int64_t wanted;
    int64_t child; /* pid found, or negative errno */
    uint32_t status;
};

static void child_wait_begin(struct child_wait *wait, int64_t wanted, bool blocks, uint32_t call,
                             uint32_t stack)
{
    wait->wanted = wanted;
    wait->child = -ECANCELED;
    if (!blocks)
        call |= REEL_CALL_TRY;
    reel_emit(wait->tls, PROCESS(WAIT), (uint64_t)wanted, 0, call, stack);
    if (blocks)
        reel_wait_begin(wait->tls, PROCESS(WAIT), (uint64_t)wanted, call, stack);
}

static void child_wait_end(struct child_wait *wait)
{
    if (!wait->tls)
        return;
    int saved = errno;
    reel_wait_end(wait->tls);
    uint64_t word = (uint64_t)wait->child;
    reel_emit_words(wait->tls, PROCESS(WAKE), (uint64_t)wait->wanted, 0, wait->status, 0, &word, 1);
    errno = saved;
}

#define CHILD_WAIT(the_wanted, blocks, real_call, the_status)                                      \
    struct child_wait child_wait                                                                   \
        __attribute__((cleanup(child_wait_end))) = {.tls = reel_enter(REEL_FAMILY_PROCESS)};       \
    if (!child_wait.tls)                                                                           \
        return reel_real.real_call;                                                                \
    child_wait_begin(&child_wait, the_wanted, blocks, REEL_CALL_WAITPID,                           \
                     reel_stack_here(child_wait.tls));                                             \
    pid_t result = reel_real.real_call;                                                            \
    child_wait.child = result >= 0 ? result : -(int64_t)errno;                                     \
    if (result > 0)                                                                                \
        child_wait.status = (uint32_t)(the_status);                                                \
    return result

REEL_INTERPOSE
pid_t wait(int *status)
{
    int here = 0;
    if (!status)
        status = &here;
    CHILD_WAIT(-1, true, wait(status), *status);
}

REEL_INTERPOSE
pid_t waitpid(pid_t pid, int *status, int options)
{
    int here = 0;
    if (!status)
        status = &here;
    CHILD_WAIT(pid, !(options & WNOHANG), waitpid(pid, status, options), *status);
}

REEL_INTERPOSE
pid_t wait3(int *status, int options, struct rusage *usage)
{
    int here = 0;
    if (!status)
        status = &here;
    CHILD_WAIT(-1, !(options & WNOHANG), wait3(status, options, usage), *status);
}

REEL_INTERPOSE
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    int here = 0;
    if (!status)
        status = &here;
    CHILD_WAIT(pid, !(options & WNOHANG), wait4(pid, status, options, usage), *status);
}

/* The status word that waitpid would have given. */
static uint32_t status_of(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return (uint32_t)(info->si_status & 0xff) << 8;
    return (uint32_t)info->si_status | (info->si_code == CLD_DUMPED ? 0x80u : 0);
}

REEL_INTERPOSE
int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    struct child_wait child_wait
        __attribute__((cleanup(child_wait_end))) = {.tls = reel_enter(REEL_FAMILY_PROCESS)};
    if (!child_wait.tls)
        return reel_real.waitid(type, id, info, options);
    child_wait_begin(&child_wait, type == P_PID ? (int64_t)id : -1, !(options & WNOHANG),
                     REEL_CALL_WAITPID, reel_stack_here(child_wait.tls));
    int result = reel_real.waitid(type, id, info, options);
    child_wait.child = result < 0 ? -(int64_t)errno : 0;
    if (result == 0 && info && info->si_pid) {
        child_wait.child = info->si_pid;
        child_wait.status = status_of(info);
    }
    return result;
}

/* system and popen start a shell from inside the C library: what they hand it is `environ`. */
REEL_INTERPOSE
int system(const char *command)
{
    struct child_wait child_wait
        __attribute__((cleanup(child_wait_end))) = {.tls = reel_enter(REEL_FAMILY_PROCESS)};
    struct reel_environment_swap swap __attribute__((cleanup(reel_environment_swap_end))) = {0};
    if (command)
        reel_environment_swap_begin(&swap);
    if (!child_wait.tls)
        return reel_real.system(command);
    child_wait_begin(&child_wait, -1, true, REEL_CALL_SYSTEM, reel_stack_here(child_wait.tls));
    int result = reel_real.system(command);
    child_wait.child = 0;
    child_wait.status = (uint32_t)result;
    return result;
}

REEL_INTERPOSE
FILE *popen(const char *command, const char *mode)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls)
        making(tls, REEL_CALL_POPEN, reel_stack_here(tls));
    struct reel_environment_swap swap __attribute__((cleanup(reel_environment_swap_end))) = {0};
    reel_environment_swap_begin(&swap);
    FILE *stream = reel_real.popen(command, mode);
    if (tls) {
        int saved = errno;
        made(tls, 0, stream ? 0 : saved, REEL_CALL_POPEN);
        errno = saved;
    }
    return stream;
}

REEL_INTERPOSE
int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    pid_t here;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls)
        making(tls, REEL_CALL_SPAWN, reel_stack_here(tls));
    REEL_EXEC_ENVIRONMENT(with, envp, path);
    int error = reel_real.posix_spawn(pid ? pid : &here, path, actions, attributes, argv, with);
    if (tls)
        made(tls, error ? -1 : pid ? *pid : here, error, REEL_CALL_SPAWN);
    return error;
}

REEL_INTERPOSE
int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
    pid_t here;
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls)
        making(tls, REEL_CALL_SPAWN, reel_stack_here(tls));
    REEL_EXEC_ENVIRONMENT(with, envp, file);
    int error = reel_real.posix_spawnp(pid ? pid : &here, file, actions, attributes, argv, with);
    if (tls)
        made(tls, error ? -1 : pid ? *pid : here, error, REEL_CALL_SPAWN);
    return error;
}

/* Signals. */
REEL_INTERPOSE
int kill(pid_t pid, int number)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls && number)
        reel_emit(tls, PROCESS(KILL), (uint64_t)(int64_t)pid, 0, (uint32_t)number,
                  reel_stack_here(tls));
    return reel_real.kill(pid, number);
}

REEL_INTERPOSE
int pthread_kill(pthread_t thread, int number)
{
    struct reel_tls *tls = reel_enter(REEL_FAMILY_PROCESS);
    if (tls && number)
        reel_emit(tls, REEL_KIND(REEL_OP_KILL, REEL_CLASS_THREAD, 0), (uint64_t)thread, 0,
                  (uint32_t)number, reel_stack_here(tls));
    return reel_real.pthread_kill(thread, number);
}

#define SIGNAL(op) REEL_KIND(REEL_OP_##op, REEL_CLASS_SIGNAL, 0)

struct signal_wait {
    struct reel_tls *tls;
    int result;
};

static void signal_wait_begin(struct signal_wait *wait, uint32_t call, uint32_t stack)
{
    wait->result = -ECANCELED;
    reel_emit(wait->tls, SIGNAL(WAIT), 0, 0, call, stack);
    reel_wait_begin(wait->tls, SIGNAL(WAIT), 0, call, stack);
}

static void signal_wait_end(struct signal_wait *wait)
{
    if (!wait->tls)
        return;
    int saved = errno;
    reel_wait_end(wait->tls);
    reel_emit(wait->tls, SIGNAL(WAKE), 0, 0, (uint32_t)wait->result, 0);
    errno = saved;
}

#define SIGNAL_WAIT(call, real_call)                                                               \
    struct signal_wait signal_wait                                                                 \
        __attribute__((cleanup(signal_wait_end))) = {.tls = reel_enter(REEL_FAMILY_PROCESS)};      \
    if (!signal_wait.tls)                                                                          \
        return reel_real.real_call;                                                                \
    signal_wait_begin(&signal_wait, call, reel_stack_here(signal_wait.tls));                       \
    int result = reel_real.real_call;                                                              \
    signal_wait.result = result;                                                                   \
    return result

REEL_INTERPOSE
int sigwait(const sigset_t *restrict set, int *restrict number)
{
    SIGNAL_WAIT(REEL_CALL_SIGWAIT, sigwait(set, number));
}

REEL_INTERPOSE
int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
    SIGNAL_WAIT(REEL_CALL_SIGWAIT, sigwaitinfo(set, info));
}

REEL_INTERPOSE
int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info,
                 const struct timespec *restrict timeout)
{
    SIGNAL_WAIT(REEL_CALL_SIGWAIT | REEL_CALL_TIMED, sigtimedwait(set, info, timeout));
}

REEL_INTERPOSE
int sigsuspend(const sigset_t *mask)
{
    SIGNAL_WAIT(REEL_CALL_PAUSE, sigsuspend(mask));
}

REEL_INTERPOSE
int pause(void)
{
    SIGNAL_WAIT(REEL_CALL_PAUSE, pause());
}

/* Strict seccomp also forbids the time-stamp counter, and with it the clocks that are read without
 * a call; before the call, for afterwards it is too late. */
void reel_confined(long option, unsigned long mode)
{
    if (option == PR_SET_SECCOMP)
        reel_probe.filtered = true;
    if (reel_probe.region && ((option == PR_SET_SECCOMP && mode == SECCOMP_MODE_STRICT) ||
                              (option == PR_SET_TSC && mode == PR_TSC_SIGSEGV)))
        reel_probe.clock = REEL_CLOCK_COARSE;
}

/* prctl: a thread's name, and the moment system calls become dangerous to make. */
REEL_INTERPOSE
int prctl(int option, ...)
{
    va_list arguments;
    va_start(arguments, option);
    unsigned long a = va_arg(arguments, unsigned long), b = va_arg(arguments, unsigned long),
                  c = va_arg(arguments, unsigned long), d = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (REEL_UNLIKELY(!reel_real.prctl))
        reel_initialise();
    reel_confined(option, a);
    int result = reel_real.prctl(option, a, b, c, d);
    if (option == PR_SET_NAME && result == 0) {
        struct reel_tls *tls = reel_enter(REEL_FAMILY_THREAD);
        /* The kernel takes 15 bytes at most; what lies behind may not even be memory. */
        char name[16] = "";
        memcpy(name, (const char *)a, strnlen((const char *)a, sizeof name - 1));
        if (tls)
            reel_emit_text(tls, REEL_KIND(REEL_OP_NAME, REEL_CLASS_THREAD, 0),
                           (uint64_t)pthread_self(), 0, 0, name);
    }
    return result;
}
