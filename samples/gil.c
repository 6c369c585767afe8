/* gil: an interpreter with a global lock and a 5 ms switch interval.
 *
 * Shows: threads of a scripting language. The interpreter runs one thread's instructions at a time:
 * whoever wants the lock for 5 ms asks the holder to give way. `sleep` drops the lock, so waiting
 * overlaps, while computing does not.
 * Look for: `gil cpu`: four threads, parallelism about 1: the lock "GIL" is always held and handed
 * round every 5 ms; `gil io`: threads overlap, the lock is mostly free; `gil mixed`: the thread
 * that sleeps waits up to 5 ms for the lock each time it wakes. */
#include "kit/gil.h"
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

/* The machine has two registers: enough to count and to wait. */
enum code { SET, ADD, SUBTRACT, JUMP_UNLESS_ZERO, SLEEP, RETURN };
enum { TOTAL, LEFT };

struct instruction {
    enum code code;
    long a, b; /* a register and a number, or the number alone */
};

static long interpret(const struct instruction *program)
{
    long registers[2] = {0};
    for (const struct instruction *i = program;; i++) {
        gil_check();
        switch (i->code) {
        case SET:
            registers[i->a] = i->b;
            break;
        case ADD:
            registers[i->a] += i->b;
            break;
        case SUBTRACT:
            registers[i->a] -= i->b;
            break;
        case JUMP_UNLESS_ZERO:
            if (registers[i->a] != 0)
                i = &program[i->b - 1];
            break;
        case SLEEP:
            gil_drop(); /* others may interpret while this thread waits */
            work_wait(i->b);
            gil_take();
            break;
        case RETURN:
            return registers[i->a];
        }
    }
}

struct script {
    const struct instruction *program;
    long result;
};

static void *run_script(void *argument)
{
    struct script *script = argument;
    gil_take();
    script->result = interpret(script->program);
    gil_drop();
    return NULL;
}

enum mode { CPU, IO, MIXED };

int main(int argc, char **argv)
{
    static const char *const modes[] = {"cpu", "io", "mixed", NULL};
    long mode = CPU, threads = 4, rounds = 10000000, interval = 5;
    arguments_read(argc, argv, "An interpreter with a global lock runs some threads.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "what the threads do"),
                             NUMBER("threads", &threads, 1, 64, "how many"),
                             NUMBER("rounds", &rounds, 1, 1000000000, "of computing, each"),
                             NUMBER("interval", &interval, 1, 1000, "ms until a forced switch")));
    const struct instruction compute[] = {{SET, LEFT, rounds},         {ADD, TOTAL, 3},
                                          {SUBTRACT, TOTAL, 1},        {SUBTRACT, LEFT, 1},
                                          {JUMP_UNLESS_ZERO, LEFT, 1}, {RETURN, TOTAL, 0}};
    const struct instruction wait[] = {{SET, LEFT, 20},
                                       {SLEEP, 0, 10},
                                       {ADD, TOTAL, 1},
                                       {SUBTRACT, LEFT, 1},
                                       {JUMP_UNLESS_ZERO, LEFT, 1},
                                       {RETURN, TOTAL, 0}};
    struct script scripts[64];
    gil_init(interval);
    for (long i = 0; i < threads; i++) {
        bool waits = mode == IO || (mode == MIXED && i == 0);
        scripts[i].program = waits ? wait : compute;
    }
    double began = work_seconds();
    thread_crew(threads, "script", run_script, scripts, sizeof scripts[0]);
    for (long i = 0; i < threads; i++)
        printf("script %ld: %ld\n", i + 1, scripts[i].result);
    if (arguments_times())
        printf("%.2f s, %ld forced switches\n", work_seconds() - began, gil_forced_switches());
    return 0;
}
