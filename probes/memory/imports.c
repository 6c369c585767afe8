/* Can all be seen that threads tell one another through memory?
 *
 * That a race was hidden by chance can be said only if nothing made the order that was not seen. A
 * lock guards a table of a library that is not instrumented, and what one thread finds there was
 * put there by another: the accesses are in the library, and the order looks like chance. So
 * predictions need a program whose instrumented code calls nothing outside of it but functions of
 * the C and C++ runtime that are known to carry nothing between threads, or to be seen (those of
 * range.c and heap.c, and all that synchronises). Everything else, known or not, ends predictions.
 */
#include <elf.h>
#include <link.h>
#include <string.h>

#include "probes/memory/memory.h"

/* `*` stands for anything. */
static const char *const harmless[] = {
    /* made by compilers and linkers */
    "_ITM_*",
    "_Unwind_*",
    "__assert_fail",
    "__cxa_*",
    "__dynamic_cast",
    "__errno_location",
    "__gcc_personality_v0",
    "__gmon_start__",
    "__gxx_personality_v0",
    "__libc_start_main",
    "__memcpy_chk",
    "__memmove_chk",
    "__memset_chk",
    "__once_proxy",
    "__sigsetjmp",
    "__stack_chk_fail",
    "__tls_get_addr",
    "__tsan_*",
    "_exit",
    "_setjmp",
    "dlsym",
    "longjmp",
    "setjmp",
    "siglongjmp",
    "__longjmp_chk",
    /* seen: what the probe records, and range.c and heap.c */
    "accept*",
    "aligned_alloc",
    "bcmp",
    "calloc",
    "call_once",
    "cnd_*",
    "eventfd*",
    "flock",
    "free",
    "malloc",
    "malloc_usable_size",
    "memalign",
    "memchr",
    "memcmp",
    "memcpy",
    "memmove",
    "memset",
    "mmap",
    "mmap64",
    "mq_*",
    "mremap",
    "mtx_*",
    "munmap",
    "pipe",
    "pipe2",
    "posix_memalign",
    "pthread_*",
    "realloc",
    "reallocarray",
    "sem_*",
    "socketpair",
    "stpcpy",
    "strcat",
    "strchr",
    "strcmp",
    "strcpy",
    "strlen",
    "strncmp",
    "strncpy",
    "strnlen",
    "thrd_*",
    "tss_*",
    "waitpid",
    "wait",
    "_Znwm*",
    "_Znam*",
    "_ZdlPv*",
    "_ZdaPv*",
    /* what comes back says nothing about other threads, or nothing that they wrote in memory */
    "abort",
    "alarm",
    "atexit",
    "clock",
    "clock_*",
    "close",
    "exit",
    "fork",
    "ftruncate",
    "getenv",
    "geteuid",
    "getopt*",
    "getpagesize",
    "getpid",
    "getppid",
    "getrandom",
    "getrlimit",
    "getrusage",
    "gettid",
    "gettimeofday",
    "getuid",
    "isatty",
    "kill",
    "madvise",
    "mprotect",
    "nanosleep",
    "open",
    "open64",
    "pause",
    "raise",
    "rand",
    "random",
    "sched_*",
    "setitimer",
    "setpriority",
    "setrlimit",
    "shm_open",
    "shm_unlink",
    "sigaction",
    "sigaddset",
    "sigemptyset",
    "sigfillset",
    "signal",
    "sigprocmask",
    "sleep",
    "srand",
    "srandom",
    "sysconf",
    "time",
    "times",
    "unlink",
    "usleep",
    /* out of the program */
    "__dprintf_chk",
    "__fprintf_chk",
    "__printf_chk",
    "__vfprintf_chk",
    "__vprintf_chk",
    "dprintf",
    "fclose",
    "fflush",
    "fopen",
    "fopen64",
    "fprintf",
    "fputc",
    "fputs",
    "fwrite",
    "perror",
    "printf",
    "putc",
    "putchar",
    "puts",
    "setbuf",
    "setvbuf",
    "vfprintf",
    "vprintf",
    "write",
    "stdin",
    "stdout",
    "stderr",
    "environ",
    "optarg",
    "optind",
    "opterr",
    "optopt",
    /* through a descriptor: what comes in is ordered behind what went out, of files behind all
     * that was heard of (follow.c) */
    "bind",
    "connect",
    "dup",
    "dup2",
    "dup3",
    "epoll_*",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "fsync",
    "getpeername",
    "getsockname",
    "getsockopt",
    "htonl",
    "htons",
    "listen",
    "ntohl",
    "ntohs",
    "poll",
    "pread",
    "pread64",
    "pwrite",
    "pwrite64",
    "read",
    "readv",
    "recv",
    "recvfrom",
    "recvmsg",
    "select",
    "send",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "socket",
    "timerfd_*",
    "writev",
    /* texts and buffers: text.c sees what they read and write */
    "__ctype_*",
    "__snprintf_chk",
    "__sprintf_chk",
    "__strdup",
    "__vsnprintf_chk",
    "__vsprintf_chk",
    "atof",
    "atoi",
    "atol",
    "atoll",
    "bsearch",
    "fgets",
    "fread",
    "isalpha",
    "isdigit",
    "isspace",
    "memmem",
    "qsort",
    "snprintf",
    "sprintf",
    "sscanf",
    "__isoc99_sscanf",
    "strcasecmp",
    "strcspn",
    "strdup",
    "strerror",
    "strncasecmp",
    "strndup",
    "strrchr",
    "strsignal",
    "strspn",
    "strstr",
    "strtod",
    "strtof",
    "strtol",
    "strtoll",
    "strtoul",
    "strtoull",
    "tolower",
    "toupper",
    "vsnprintf",
    "vsprintf",
    /* into a variable of the caller that is hardly shared */
    "erand48",
    "gmtime_r",
    "jrand48",
    "localtime_r",
    "nrand48",
    "rand_r",
    "random_r",
    "strftime",
    /* the same thread on another stack */
    "getcontext",
    "makecontext",
    "setcontext",
    "swapcontext",
    "__pthread_*",
    "mkstemp",
    "msgctl",
    "msgget",
    "msgrcv",
    "msgsnd",
    "prctl",
    "signalfd",
    /* numbers */
    "abs",
    "acos*",
    "asin*",
    "atan*",
    "cbrt*",
    "ceil*",
    "cos*",
    "div",
    "erf*",
    "exp*",
    "fabs*",
    "floor*",
    "fma*",
    "fmin*",
    "fmod*",
    "frexp*",
    "hypot*",
    "isinf",
    "isnan",
    "labs",
    "ldexp*",
    "llround*",
    "log*",
    "lrint*",
    "lround*",
    "modf*",
    "nearbyint*",
    "pow*",
    "remainder*",
    "rint*",
    "round*",
    "sin*",
    "sqrt*",
    "tan*",
    "tgamma*",
    "trunc*",
    /* C++: threads and their locks, which are the C library's; exceptions; output */
    "_ZNSt6thread*",
    "_ZTINSt6thread*",
    "_ZNSt18condition_variable*",
    "_ZNSt22condition_variable*",
    "_ZSt11__once_call",
    "_ZSt15__once_callable",
    "_ZSt*__throw_*",
    "_ZSt9terminatev",
    "_ZSt15system_category*",
    "_ZSt16generic_category*",
    "_ZSt15future_category*",
    "_ZSt18uncaught_exception*",
    "_ZSt19uncaught_exception*",
    "_ZSt4cout",
    "_ZSt4cerr",
    "_ZSt4endl*",
    "_ZSt16__ostream_insert*",
    "_ZNSo*",
    "_ZStlsI*",
    "_ZNSt8ios_base4Init*",
    "_ZNSt6chrono*",
    "_ZTV*",
    "_ZTI*",
    "_ZTS*",
    "_ZNSt9exception*",
    "_ZNSt13runtime_error*",
    "_ZNSt11logic_error*",
    "_ZNKSt9exception*",
    "_ZSt7nothrow",
    "_ZSt18_Rb_tree_increment*",
    "_ZSt18_Rb_tree_decrement*",
    "_ZNKSt8__detail20_Prime_rehash_policy*",
};

/* These begin as harmless ones do, but tell of what others did, or let them do something, in ways
 * that are not followed. */
static const char *const unlike[] = {
    "mq_getattr",
    "mq_notify",
    "pthread_sigqueue",
    "sem_getvalue",
};

static bool matches(const char *name, const char *pattern)
{
    while (*pattern && *pattern != '*' && *name == *pattern)
        name++, pattern++;
    if (*pattern != '*')
        return !*pattern && !*name;
    if (!pattern[1])
        return true;
    for (; *name; name++)
        if (matches(name, pattern + 1))
            return true;
    return false;
}

static bool is_harmless(const char *name)
{
    for (size_t i = 0; i < sizeof unlike / sizeof *unlike; i++)
        if (matches(name, unlike[i]))
            return false;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (matches(name, harmless[i]))
            return true;
    return false;
}

/* The dynamic section of a module, as the loader has left it. */
struct dynamic {
    const ElfW(Sym) * symbols;
    const char *names;
    size_t names_bytes;
    const uint32_t *gnu_hash, *hash;
};

static const void *place(const struct dl_phdr_info *module, ElfW(Addr) address)
{
    /* Some loaders relocate these entries, some do not. */
    return (const void *)(address < module->dlpi_addr ? module->dlpi_addr + address : address);
}

static bool find_dynamic(const struct dl_phdr_info *module, struct dynamic *found)
{
    *found = (struct dynamic){0};
    const ElfW(Dyn) *entry = NULL;
    for (unsigned i = 0; i < module->dlpi_phnum; i++)
        if (module->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const ElfW(Dyn) *)(module->dlpi_addr + module->dlpi_phdr[i].p_vaddr);
    for (; entry && entry->d_tag != DT_NULL; entry++) {
        if (entry->d_tag == DT_SYMTAB)
            found->symbols = place(module, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRTAB)
            found->names = place(module, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_STRSZ)
            found->names_bytes = entry->d_un.d_val;
        else if (entry->d_tag == DT_GNU_HASH)
            found->gnu_hash = place(module, entry->d_un.d_ptr);
        else if (entry->d_tag == DT_HASH)
            found->hash = place(module, entry->d_un.d_ptr);
    }
    return found->symbols && found->names && (found->gnu_hash || found->hash);
}

/* Undefined symbols come before those in the table of hashes; the other kind of table has all. */
static uint32_t count_of(const struct dynamic *dynamic)
{
    return dynamic->hash ? dynamic->hash[1] : dynamic->gnu_hash[1];
}

const char *reel_imports_unseen(const struct dl_phdr_info *module)
{
    struct dynamic dynamic;
    if (!find_dynamic(module, &dynamic))
        return "";
    for (uint32_t i = 1; i < count_of(&dynamic); i++) {
        const ElfW(Sym) *symbol = &dynamic.symbols[i];
        if (symbol->st_shndx != SHN_UNDEF || symbol->st_name >= dynamic.names_bytes)
            continue;
        const char *name = dynamic.names + symbol->st_name;
        if (*name && !is_harmless(name))
            return name;
    }
    return NULL;
}
