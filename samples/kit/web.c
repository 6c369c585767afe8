/* The loopback web server and its client: see web.h. HTTP/1.0, a thread per connection. */
#include "web.h"

#include "check.h"
#include "process.h"
#include "thread.h"
#include "work.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct web {
    struct sockaddr_in address;
    int listener;
    long delay;
    pid_t server;
};

struct connection {
    int socket;
    long delay;
};

static void *serve_connection(void *argument)
{
    struct connection connection = *(struct connection *)argument;
    free(argument);

    char request[512];
    size_t got = 0;
    do {
        ssize_t bytes = read(connection.socket, request + got, sizeof request - 1 - got);
        if (bytes <= 0)
            break;
        got += (size_t)bytes;
        request[got] = '\0';
    } while (strstr(request, "\r\n\r\n") == NULL && got < sizeof request - 1);
    request[got] = '\0';

    long page;
    char answer[16384];
    int length;
    if (sscanf(request, "GET /page/%ld ", &page) == 1 && page >= 0 && page < 1000) {
        work_wait(connection.delay);
        length = snprintf(answer, sizeof answer,
                          "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%0*ld",
                          (int)(1000 + 7 * page), page);
    } else {
        length = snprintf(answer, sizeof answer, "HTTP/1.0 404 Not Found\r\n\r\n");
    }
    process_write(connection.socket, answer, (size_t)length);
    close(connection.socket);
    return NULL;
}

static int serve(void *argument)
{
    struct web *web = argument;
    signal(SIGPIPE, SIG_IGN);
    for (int number = 1;; number++) {
        struct connection *connection = malloc(sizeof *connection);
        CHECK_TRUE(connection != NULL);
        connection->delay = web->delay;
        connection->socket = (int)CHECK_SYSTEM(accept(web->listener, NULL, NULL));
        CHECK(pthread_detach(thread_start(serve_connection, connection, "request %d", number)));
    }
    return 0;
}

struct web *web_start(long delay)
{
    struct web *web = calloc(1, sizeof *web);
    CHECK_TRUE(web != NULL);
    web->delay = delay;
    web->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof web->address;
    web->listener = (int)CHECK_SYSTEM(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_SYSTEM(bind(web->listener, (struct sockaddr *)&web->address, length));
    CHECK_SYSTEM(listen(web->listener, 128));
    CHECK_SYSTEM(getsockname(web->listener, (struct sockaddr *)&web->address, &length));
    web->server = process_start(serve, web, "web server");
    close(web->listener);
    return web;
}

void web_stop(struct web *web)
{
    CHECK_SYSTEM(kill(web->server, SIGTERM));
    process_wait(web->server);
    free(web);
}

int web_request(struct web *web, long page)
{
    char request[64];
    int length = snprintf(request, sizeof request, "GET /page/%ld HTTP/1.0\r\n\r\n", page);
    int server = (int)CHECK_SYSTEM(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK_SYSTEM(connect(server, (struct sockaddr *)&web->address, sizeof web->address));
    process_write(server, request, (size_t)length);
    return server;
}

long web_fetch(struct web *web, long page)
{
    char answer[16384];
    int server = web_request(web, page);
    size_t bytes = process_read(server, answer, sizeof answer - 1);
    close(server);
    return web_body_bytes(answer, (long)bytes);
}

long web_body_bytes(const char *answer, long bytes)
{
    const char *end = memmem(answer, (size_t)bytes, "\r\n\r\n", 4);
    if (end == NULL || strncmp(answer, "HTTP/1.0 200", 12) != 0)
        return -1;
    return bytes - (end + 4 - answer);
}
