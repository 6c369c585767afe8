/* manager: one process owns a list, others ask it over a Unix socket.
 *
 * Shows: instead of sharing memory, send messages: the manager alone touches the list, so the list
 * needs no lock. Each client sends "add" or "sum" and waits for the answer.
 * Look for: each client's waiting for the reply of the manager; the manager serves one request at
 * a time, in the order of arrival: it is the lock. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/process.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 16

enum verb { ADD, SUM };

struct request {
    enum verb verb;
    long number;
};

static long list[MOST * 1000], length;

static long answer(const struct request *request)
{
    if (request->verb == ADD) {
        list[length++] = request->number;
        return length;
    }
    long sum = 0;
    for (long i = 0; i < length; i++)
        sum += list[i];
    return sum;
}

/* Serves until every client has closed its end. */
static void manage(struct pollfd *clients, long count)
{
    for (long left = count; left > 0;) {
        CHECK_SYSTEM(poll(clients, (nfds_t)count, -1));
        for (long i = 0; i < count; i++) {
            if (clients[i].fd < 0 || clients[i].revents == 0)
                continue;
            struct request request;
            if (process_read(clients[i].fd, &request, sizeof request) == 0) {
                close(clients[i].fd);
                clients[i].fd = -1; /* poll passes over it */
                left--;
                continue;
            }
            long reply = answer(&request);
            process_write(clients[i].fd, &reply, sizeof reply);
        }
    }
}

struct client {
    int socket;
    long number, items;
};

static long ask(int manager, enum verb verb, long number)
{
    struct request request = {verb, number};
    long reply;
    process_write(manager, &request, sizeof request);
    CHECK_TRUE(process_read(manager, &reply, sizeof reply) == sizeof reply);
    return reply;
}

static int add_items(void *argument)
{
    struct client *client = argument;
    for (long i = 0; i < client->items; i++)
        ask(client->socket, ADD, client->number);
    return ask(client->socket, SUM, 0) >= client->number * client->items ? 0 : 1;
}

int main(int argc, char **argv)
{
    long count = 3, items = 200;
    arguments_read(argc, argv, "A manager process serves a list over Unix sockets.",
                   ARGUMENTS(NUMBER("clients", &count, 1, MOST, "processes that ask"),
                             NUMBER("items", &items, 1, 1000, "numbers each one adds")));
    struct pollfd clients[MOST];
    pid_t children[MOST];
    for (long i = 0; i < count; i++) {
        int ends[2];
        CHECK_SYSTEM(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
        struct client client = {ends[1], i + 1, items};
        children[i] = process_start(add_items, &client, "client");
        close(ends[1]);
        clients[i] = (struct pollfd){.fd = ends[0], .events = POLLIN};
    }
    manage(clients, count);
    for (long i = 0; i < count; i++)
        CHECK_TRUE(process_wait(children[i]) == 0);
    printf("%ld items, sum %ld\n", length, answer(&(struct request){SUM, 0}));
    return 0;
}
