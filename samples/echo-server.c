/* echo-server: a TCP server and its clients, all tasks of one event loop.
 *
 * Shows: one thread serves many connections: each has a task that waits until its socket can be
 * read. The loop waits for all sockets at once in epoll_wait.
 * Look for: the iterations of the loop: how long it waits, which descriptors were ready, how short
 * each step is; a step that took long would keep everybody waiting (see loop-blocked). */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 32

static struct sockaddr_in address = {.sin_family = AF_INET};
static socklen_t length = sizeof address;
static long clients = 4, messages = 5;
static int connections[MOST];

/* Reads what has come, waiting for it on the loop; 0 at the end of the connection. */
static long receive(int descriptor, char *text, size_t room)
{
    ssize_t bytes;
    while ((bytes = read(descriptor, text, room)) < 0 && errno == EAGAIN)
        task_readable(descriptor);
    return CHECK_SYSTEM(bytes);
}

static long echo(void *argument)
{
    int descriptor = *(int *)argument;
    char text[256];
    long bytes, total = 0;
    while ((bytes = receive(descriptor, text, sizeof text)) > 0) {
        CHECK_SYSTEM(write(descriptor, text, (size_t)bytes)); /* short: never blocks */
        total += bytes;
    }
    close(descriptor);
    return total;
}

static long serve(void *argument)
{
    int listener = *(int *)argument;
    struct task *tasks[MOST];
    for (long i = 0; i < clients; i++) {
        task_readable(listener);
        connections[i] = (int)CHECK_SYSTEM(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
        tasks[i] = task_create("echo", echo, &connections[i]);
    }
    close(listener);
    return task_gather(tasks, (size_t)clients, NULL);
}

static long talk(void *argument)
{
    char text[64], reply[64];
    long total = 0;
    int server = (int)CHECK_SYSTEM(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_SYSTEM(connect(server, (struct sockaddr *)&address, length));
    for (long i = 0; i < messages; i++) {
        int bytes = snprintf(text, sizeof text, "client %ld says %ld", *(long *)argument, i + 1);
        CHECK_SYSTEM(write(server, text, (size_t)bytes));
        task_readable(server);
        CHECK_TRUE(receive(server, reply, sizeof reply) == bytes);
        CHECK_TRUE(memcmp(text, reply, (size_t)bytes) == 0);
        total += bytes;
        task_sleep(5);
    }
    close(server);
    return total;
}

static long start(void *listener)
{
    static long numbers[MOST];
    struct task *server = task_create("server", serve, listener), *tasks[MOST];
    for (long i = 0; i < clients; i++) {
        numbers[i] = i + 1;
        tasks[i] = task_create("client", talk, &numbers[i]);
    }
    long sent = task_gather(tasks, (size_t)clients, NULL), echoed = 0;
    task_await(server, &echoed);
    printf("%ld clients sent %ld bytes, %ld were echoed\n", clients, sent, echoed);
    return sent == echoed ? 0 : 1;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A TCP echo server and its clients on one event loop.",
                   ARGUMENTS(NUMBER("clients", &clients, 1, MOST, "connections"),
                             NUMBER("messages", &messages, 1, 1000, "of each client")));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = (int)CHECK_SYSTEM(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    CHECK_SYSTEM(bind(listener, (struct sockaddr *)&address, length));
    CHECK_SYSTEM(listen(listener, MOST));
    CHECK_SYSTEM(getsockname(listener, (struct sockaddr *)&address, &length));
    return (int)loop_run(start, &listener);
}
