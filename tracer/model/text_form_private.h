/* What the parser (text_form.c), the verbs (text_form_verbs.c) and the calls (text_form_calls.c) of
 * the text form share. */
#ifndef REEL_MODEL_TEXT_FORM_PRIVATE_H
#define REEL_MODEL_TEXT_FORM_PRIVATE_H

#include "tracer/model/text_form.h"

#define REEL_TEXT_WORDS     24u
#define REEL_TEXT_THREADS   4096u
#define REEL_TEXT_TICK_NS   1000u
#define REEL_TEXT_ADDRESS   0x10000ull /* the first object's */
#define REEL_TEXT_FIRST_PID 1000u

struct reel_text_name {
    char *name;
    uint64_t address;
    uint32_t sequence;
    uint8_t class;
};

struct reel_text_thread {
    uint32_t process;
    uint64_t wanted;        /* address it asked for and has not got yet */
    uint64_t wait_mutex;    /* of the condition wait it is in */
    uint32_t wait_sequence; /* index of that mutex's name, for its sequence */
};

struct reel_text_form {
    struct reel_event *event;
    size_t count, capacity;
    uint64_t *extra; /* while parsing, event.extra holds an index + 1 into this */
    size_t extra_count, extra_capacity;
    struct reel_text_name *name;
    size_t name_count;
    struct reel_text_thread *thread; /* by number */
};

/* One statement being understood. */
struct reel_text_statement {
    struct reel_text_form *form;
    struct reel_error *error;
    unsigned number; /* from 1 */
    char *copy;      /* the text, cut into words */
    char text[96];   /* the text, for messages */
    const char *word[REEL_TEXT_WORDS];
    unsigned count, next;
    uint32_t thread, process;
    uint64_t *clock; /* time of the next event */
    /* modifiers */
    uint8_t flags;
    bool timed;
    uint32_t stack;
    uint32_t owner_dead;
};

/* Fails with "statement N "text": …". Returns false. */
__attribute__((format(printf, 2, 3))) bool reel_text_fail(struct reel_text_statement *statement,
                                                          const char *format, ...);

/* Understands the verb and what follows it. */
bool reel_text_verb(struct reel_text_statement *statement);

/* What follows in the statement. A word, NULL at its end. */
const char *reel_text_next(struct reel_text_statement *statement);
/* A number or an errno's name, `otherwise` when there is none. */
bool reel_text_next_number(struct reel_text_statement *statement, int64_t otherwise,
                           int64_t *number);
/* T2, or a pthread_t as 0x… */
bool reel_text_thread_argument(struct reel_text_statement *statement, uint64_t *number);
bool reel_text_process_argument(struct reel_text_statement *statement, uint32_t *number);
/* Fails when words are left. */
bool reel_text_done(struct reel_text_statement *statement);

/* A call that may block, or one half of it. */
enum reel_text_half { REEL_TEXT_WHOLE, REEL_TEXT_BEGIN, REEL_TEXT_END };
/* The number of a call by its name; 0 when there is none. */
uint32_t reel_text_call_number(const char *word);
bool reel_text_call(struct reel_text_statement *statement, uint32_t call, enum reel_text_half half);

/* Parses "1.5ms", "20us", "3s", "7ns"; false when it is no time. */
bool reel_text_time(const char *word, uint64_t *ns);
bool reel_text_number(const char *word, int64_t *number);
/* The number behind `letter`: "T12" → 12; 0 when the word is none such. */
uint32_t reel_text_index(const char *word, char letter);

/* Appends an event of the statement's thread. `name` may be NULL: then `object` counts. */
bool reel_text_emit(struct reel_text_statement *statement, enum reel_operation operation,
                    enum reel_class class, struct reel_text_name *name, uint64_t object,
                    uint32_t argument);
bool reel_text_emit_extra(struct reel_text_statement *statement, const uint64_t *word,
                          unsigned count);
bool reel_text_emit_text(struct reel_text_statement *statement, const char *text);
/* The object of that name, made when new with class `usual`. `word` may carry ":class". */
struct reel_text_name *reel_text_object(struct reel_text_statement *statement, const char *word,
                                        enum reel_class usual);
/* The same if it is known already, else NULL. */
struct reel_text_name *reel_text_find(const struct reel_text_form *form, const char *word);
enum reel_class reel_text_class(const char *word);

#endif
