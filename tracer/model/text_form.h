/* The text form: small traces written as sentences, for tests.
 *
 *     T1 create T2; T1 lock A; T2 want A; T1 unlock A; T2 lock A; T2 unlock A; T2 exit; T1 join T2
 *
 * Statements are separated by `;` or line ends; `#` begins a comment. A statement is
 *
 *     [@TIME] [Pn.]Tn VERB ARGUMENTS… [MODIFIER…]
 *
 * Threads are T1, T2 … (their numbers in the trace), processes P1, P2 … (P1 unless said otherwise;
 * a thread stays in the process it was first named with). Every other name is an object; each
 * distinct name has an address of its own, whose class is that of the verb it was first used with
 * (`lock` a mutex, `rdlock` a rwlock, `post` a semaphore …) unless given as NAME:CLASS or, before
 * the name, as a word (`read pipe P 100`). Events are one microsecond apart unless `@1.5ms` (or s,
 * us, ns) says when.
 *
 *   locks       lock trylock timedlock rdlock wrlock tryrdlock trywrlock unlock; want A (blocks),
 *               fail A [ERRNO], timeout A, unlock-failed A [ERRNO], consistent A
 *   any object  init A [N], destroy A [ERRNO], name A TEXT
 *   conditions  wait C with A, wake C [ERRNO] (takes A again), leave C (WAKE alone), relock A,
 *               signal C, broadcast C
 *   semaphores  post S, take S, want S, fail S     barriers  arrive B, leave B     once O
 *   queues      put Q [SIZE [ITEM]], get Q [SIZE [ITEM]]
 *   calls       CALL [CLASS] X [RESULT], or its halves: begin CALL [CLASS] X, end CALL [CLASS] X
 *               [RESULT]; CALL is a name of REEL_CALLS, such as read, accept, sigwait, queue-put;
 *               behind connect's and accept's RESULT: port PORT, of the one that connects
 *   threads     create T2, created T2, start [handle H] [routine R] [by T1], exit [REASON], join
 * T2, begin join T2, end join T2, detach T2, cancel T2, yield, sleep 5ms processes   fork P2,
 * attach, exec TEXT, exec-failed [ERRNO], waitpid P2 [STATUS], kill P2 [SIG], exit process [STATUS]
 *   loops       loop L wait, loop L ready FD, loop L wake N, watch L FD
 *   annotated   read X [SIZE], write X [SIZE], before X, after X, mark TEXT, span-begin X, span-end
 * X, task K created|ready|running|waiting|done|cancelled other       open [CLASS] X FD, close X FD,
 * load M TEXT, unload M, switch out [preempted], switch in [CPU], stall MICROSECONDS, gap COUNT
 * [since TIME]
 *
 *   modifiers   shared (between processes), recursive, read, try, timed, in-wait, blocked,
 *               nonblocking, owner-dead, stack N
 *
 * A pid is 1000 + the process's number. Sequence numbers are given per object, in text order. */
#ifndef REEL_MODEL_TEXT_FORM_H
#define REEL_MODEL_TEXT_FORM_H

#include <stddef.h>

#include "tracer/error.h"
#include "tracer/store/event.h"

struct reel_trace;
struct reel_text_form;

/* Parses `text`. NULL and an error (REEL_ERROR_USAGE, naming the statement and the word) when it is
 * not in the language above. Pure: no file, no global. */
struct reel_text_form *reel_text_form_parse(const char *text, struct reel_error *error);
void reel_text_form_free(struct reel_text_form *form);

/* The events, in order, owned by `form`. */
const struct reel_event *reel_text_form_events(const struct reel_text_form *form, size_t *count);
/* The raw address behind an object's name; 0 when the text does not mention it. */
uint64_t reel_text_form_address(const struct reel_text_form *form, const char *name);

/* Writes the events as a recorded, unsealed trace: processes, threads, chunks. */
bool reel_text_form_write(const struct reel_text_form *form, struct reel_trace *trace,
                          struct reel_error *error);

#endif
