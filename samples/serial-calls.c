/* serial-calls: three slow services, asked one after the other though none needs another's answer.
 *
 * Shows: the commonest lost time in programs that talk to others. Mode `serial` asks, waits, asks,
 * waits; mode `together` asks all at once, by threads, and waits once.
 * Look for: three waits in a row in one thread, on three connections that have nothing to do with
 * each other; together they take as long as the slowest. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <sys/socket.h>
#include <unistd.h>

struct service {
    const char *name;
    long milliseconds, answer;
    int ask, serve; /* two ends of a socket */
    pid_t process;
};

static int serve(void *argument)
{
    struct service *service = argument;
    char question;
    close(service->ask);
    while (process_read(service->serve, &question, 1) == 1) {
        work_wait(service->milliseconds);
        process_write(service->serve, &service->answer, sizeof service->answer);
    }
    return 0;
}

static void *ask(void *argument)
{
    struct service *service = argument;
    process_write(service->ask, "?", 1);
    CHECK_TRUE(process_read(service->ask, &service->answer, sizeof service->answer) ==
               sizeof service->answer);
    return NULL;
}

enum mode { SERIAL, TOGETHER };

int main(int argc, char **argv)
{
    static const char *const modes[] = {"serial", "together", NULL};
    long mode = SERIAL, unit = 100;
    arguments_read(argc, argv, "Three slow services, asked in turn or together.",
                   ARGUMENTS(CHOICE("mode", &mode, modes, "how"),
                             NUMBER("ms", &unit, 1, 1000, "the quickest service needs")));
    struct service services[] = {{"weather", unit, 21, -1, -1, 0},
                                 {"traffic", unit * 2, 7, -1, -1, 0},
                                 {"stocks", unit * 3, 4711, -1, -1, 0}};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        CHECK_SYSTEM(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        services[i].ask = ends[0];
        services[i].serve = ends[1];
        services[i].process = process_start(serve, &services[i], services[i].name);
        close(ends[1]);
        services[i].answer = 0; /* only the service knows */
    }
    double began = work_seconds();
    if (mode == SERIAL) {
        for (int i = 0; i < 3; i++)
            ask(&services[i]);
    } else {
        thread_crew(3, "asker", ask, services, sizeof services[0]);
    }
    double took = work_seconds() - began;
    for (int i = 0; i < 3; i++) {
        printf("%s: %ld\n", services[i].name, services[i].answer);
        shutdown(services[i].ask, SHUT_WR); /* later children hold a copy: close is not enough */
        CHECK_TRUE(process_wait(services[i].process) == 0);
    }
    if (arguments_times())
        printf("%s: %.2f s\n", modes[mode], took);
    return 0;
}
