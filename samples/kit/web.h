/* A slow web server on the loopback interface, in a process of its own, and a client for it.
 * Pages are made up: /page/N takes so many milliseconds and has 1000 + 7 * N bytes. */
#ifndef KIT_WEB_H
#define KIT_WEB_H

struct web;

/* Starts the server on a free port. Each request waits `delay` milliseconds before the answer, as
 * if a disk or another service had to be asked. */
struct web *web_start(long delay);
void web_stop(struct web *web);

/* Opens a connection and sends the request for page N; returns the socket. */
int web_request(struct web *web, long page);

/* Fetches page N and returns its size in bytes; waits for the whole answer. */
long web_fetch(struct web *web, long page);

/* The size of the body, from the first `bytes` bytes of an answer; -1 when it is not HTTP. */
long web_body_bytes(const char *answer, long bytes);

#endif
