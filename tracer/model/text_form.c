/* The text form: cutting the text into statements and words, objects' names, and the list of
 * events. What each verb means is in text_form_verbs.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/model/text_form_private.h"

bool reel_text_fail(struct reel_text_statement *statement, const char *format, ...)
{
    char why[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    reel_error_set(statement->error, REEL_ERROR_USAGE, 0, "statement %u \"%s\": %s",
                   statement->number, statement->text, why);
    return reel_error_hint(statement->error, "the language is described in text_form.h");
}

bool reel_text_number(const char *word, int64_t *number)
{
    if (!word || !*word)
        return false;
    char *end;
    errno = 0;
    *number = strtoll(word, &end, 0);
    return !*end && !errno;
}

bool reel_text_time(const char *word, uint64_t *ns)
{
    char *end;
    double value = strtod(word, &end);
    if (end == word || !(value >= 0) || value > 1e12)
        return false;
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    for (unsigned i = 0; i < 4; i++)
        if (!strcmp(end, units[i].unit)) {
            if (value * units[i].ns > 9e18)
                return false;
            *ns = (uint64_t)(value * units[i].ns + 0.5);
            return true;
        }
    return false;
}

uint32_t reel_text_index(const char *word, char letter)
{
    int64_t number;
    if (!word || word[0] != letter || word[1] < '0' || word[1] > '9' ||
        !reel_text_number(word + 1, &number) || number < 1 || number >= REEL_TEXT_THREADS)
        return 0;
    return (uint32_t)number;
}

enum reel_class reel_text_class(const char *word)
{
#define CLASS(NAME, number, text, meaning)                                                         \
    if (!strcmp(word, text))                                                                       \
        return REEL_CLASS_##NAME;
    REEL_CLASSES(CLASS)
#undef CLASS
    return REEL_CLASS_NONE;
}

static bool same_name(const char *name, const char *word)
{
    size_t length = strcspn(word, ":");
    return !strncmp(name, word, length) && !name[length];
}

struct reel_text_name *reel_text_find(const struct reel_text_form *form, const char *word)
{
    for (size_t i = 0; word && i < form->name_count; i++)
        if (same_name(form->name[i].name, word))
            return &form->name[i];
    return NULL;
}

/* Names never move while a statement is understood: the list is made long enough before it. */
struct reel_text_name *reel_text_object(struct reel_text_statement *statement, const char *word,
                                        enum reel_class usual)
{
    struct reel_text_form *form = statement->form;
    if (!word) {
        reel_text_fail(statement, "an object's name is missing");
        return NULL;
    }
    if (!*word || *word == ':' || *word == '@' || (*word >= '0' && *word <= '9')) {
        reel_text_fail(statement, "\"%s\" is no object's name", word);
        return NULL;
    }
    const char *colon = strchr(word, ':');
    enum reel_class said = REEL_CLASS_NONE;
    if (colon && !(said = reel_text_class(colon + 1))) {
        reel_text_fail(statement, "unknown class \"%s\"", colon + 1);
        return NULL;
    }
    struct reel_text_name *name = reel_text_find(form, word);
    if (!name) {
        name = &form->name[form->name_count];
        *name = (struct reel_text_name){
            .name = strndup(word, strcspn(word, ":")),
            .address = REEL_TEXT_ADDRESS + 64 * form->name_count++,
            .class = (uint8_t)usual,
        };
        if (!name->name)
            abort();
    }
    if (said)
        name->class = said;
    return name;
}

static void *grow(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return array;
    size_t wanted = *capacity ? *capacity : 64;
    while (wanted < need)
        wanted *= 2;
    array = realloc(array, wanted * size);
    if (!array)
        abort(); /* a test's text of a few kilobytes */
    *capacity = wanted;
    return array;
}

bool reel_text_emit(struct reel_text_statement *statement, enum reel_operation operation,
                    enum reel_class class, struct reel_text_name *name, uint64_t object,
                    uint32_t argument)
{
    struct reel_text_form *form = statement->form;
    form->event = grow(form->event, &form->capacity, form->count + 1, sizeof *form->event);
    form->event[form->count++] = (struct reel_event){
        .time_ns = *statement->clock,
        .object = name ? name->address : object,
        .sequence = name ? ++name->sequence : 0,
        .argument = argument,
        .stack = statement->stack,
        .thread = statement->thread,
        .process = statement->process,
        .operation = operation,
        .class = class,
        .flags = statement->flags,
    };
    *statement->clock += REEL_TEXT_TICK_NS;
    return true;
}

bool reel_text_emit_extra(struct reel_text_statement *statement, const uint64_t *word,
                          unsigned count)
{
    struct reel_text_form *form = statement->form;
    struct reel_event *event = &form->event[form->count - 1];
    form->extra =
        grow(form->extra, &form->extra_capacity, form->extra_count + count, sizeof *form->extra);
    event->extra = (const uint64_t *)(uintptr_t)(form->extra_count + 1);
    event->extra_words = (uint8_t)count;
    memcpy(form->extra + form->extra_count, word, count * sizeof *word);
    form->extra_count += count;
    return true;
}

bool reel_text_emit_text(struct reel_text_statement *statement, const char *text)
{
    uint64_t word[REEL_EXTRA_WORDS * REEL_EXTRA_LIMIT] = {0};
    size_t length = strlen(text);
    if (length >= sizeof word)
        return reel_text_fail(statement, "the text is too long");
    memcpy(word, text, length);
    return reel_text_emit_extra(statement, word, (unsigned)(length / sizeof *word) + 1);
}

/* Takes the words that are modifiers, wherever they stand behind the verb, out of the statement. */
static bool take_modifiers(struct reel_text_statement *statement)
{
    static const struct {
        const char *word;
        uint8_t flag;
    } flags[] = {{"shared", REEL_FLAG_SHARED_OBJECT},
                 {"recursive", REEL_FLAG_RECURSIVE},
                 {"read", REEL_FLAG_READ},
                 {"try", REEL_FLAG_TRY},
                 {"in-wait", REEL_FLAG_IN_WAIT},
                 {"blocked", REEL_FLAG_BLOCKED},
                 {"nonblocking", REEL_FLAG_NONBLOCKING}};
    unsigned kept = statement->next + 1;
    for (unsigned i = kept; i < statement->count; i++) {
        const char *word = statement->word[i];
        bool taken = false;
        for (unsigned f = 0; f < sizeof flags / sizeof *flags; f++)
            /* "begin read pipe P": there, read is the call */
            if (!strcmp(word, flags[f].word) && i > statement->next + 1) {
                statement->flags |= flags[f].flag;
                taken = true;
            }
        if (!strcmp(word, "timed"))
            statement->timed = taken = true;
        else if (!strcmp(word, "owner-dead")) {
            statement->owner_dead = EOWNERDEAD;
            taken = true;
        } else if (!strcmp(word, "stack")) {
            int64_t number;
            if (i + 1 == statement->count || !reel_text_number(statement->word[i + 1], &number) ||
                number < 0)
                return reel_text_fail(statement, "\"stack\" wants a number");
            statement->stack = (uint32_t)number;
            i++;
            taken = true;
        }
        if (!taken)
            statement->word[kept++] = word;
    }
    statement->count = kept < statement->count ? kept : statement->count;
    return true;
}

static bool understand(struct reel_text_statement *statement)
{
    char *rest;
    for (char *word = strtok_r(statement->copy, " \t\r", &rest); word;
         word = strtok_r(NULL, " \t\r", &rest)) {
        if (statement->count == REEL_TEXT_WORDS)
            return reel_text_fail(statement, "too many words");
        statement->word[statement->count++] = word;
    }
    if (!statement->count)
        return true;
    if (statement->word[0][0] == '@') {
        uint64_t ns;
        if (!reel_text_time(statement->word[0] + 1, &ns))
            return reel_text_fail(statement, "\"%s\" is no time; say @1.5ms", statement->word[0]);
        struct reel_text_form *form = statement->form;
        if (form->count && ns <= form->event[form->count - 1].time_ns)
            return reel_text_fail(statement, "time goes backwards");
        *statement->clock = ns;
        statement->next = 1;
    }
    if (statement->next == statement->count)
        return reel_text_fail(statement, "a thread is missing");
    const char *who = statement->word[statement->next];
    const char *dot = strchr(who, '.');
    uint32_t process = 0;
    if (dot) {
        char prefix[16];
        snprintf(prefix, sizeof prefix, "%.*s", (int)(dot - who), who);
        process = reel_text_index(prefix, 'P');
        if (!process)
            return reel_text_fail(statement, "\"%s\" does not begin with a process", who);
        who = dot + 1;
    }
    statement->thread = reel_text_index(who, 'T');
    if (!statement->thread)
        return reel_text_fail(statement, "\"%s\" is no thread; say T1", who);
    struct reel_text_thread *thread = &statement->form->thread[statement->thread];
    if (process && thread->process && thread->process != process)
        return reel_text_fail(statement, "%s is in process P%u", who, thread->process);
    if (!thread->process)
        thread->process = process ? process : 1;
    statement->process = thread->process;
    if (++statement->next == statement->count)
        return reel_text_fail(statement, "an operation is missing");
    return take_modifiers(statement) && reel_text_verb(statement);
}

struct reel_text_form *reel_text_form_parse(const char *text, struct reel_error *error)
{
    struct reel_text_form *form = calloc(1, sizeof *form);
    size_t name_capacity = 0;
    uint64_t clock = REEL_TEXT_TICK_NS;
    bool fine = form && (form->thread = calloc(REEL_TEXT_THREADS, sizeof *form->thread));
    if (!fine)
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "no memory for a text trace");
    unsigned number = 0;
    for (const char *from = text; fine && *from; number++) {
        size_t length = strcspn(from, ";\n#");
        struct reel_text_statement statement = {
            .form = form, .error = error, .number = number + 1, .clock = &clock};
        statement.copy = strndup(from, length);
        if (!statement.copy)
            abort();
        const char *first = from + strspn(from, " \t");
        snprintf(statement.text, sizeof statement.text, "%.*s",
                 first < from + length ? (int)(from + length - first) : 0, first);
        form->name = grow(form->name, &name_capacity, form->name_count + 4, sizeof *form->name);
        fine = understand(&statement);
        free(statement.copy);
        from += length;
        if (*from == '#')
            from += strcspn(from, "\n");
        if (*from)
            from++;
    }
    if (!fine) {
        reel_text_form_free(form);
        return NULL;
    }
    for (size_t i = 0; i < form->count; i++)
        if (form->event[i].extra)
            form->event[i].extra = form->extra + ((uintptr_t)form->event[i].extra - 1);
    return form;
}

void reel_text_form_free(struct reel_text_form *form)
{
    if (!form)
        return;
    for (size_t i = 0; i < form->name_count; i++)
        free(form->name[i].name);
    free(form->name);
    free(form->event);
    free(form->extra);
    free(form->thread);
    free(form);
}

const struct reel_event *reel_text_form_events(const struct reel_text_form *form, size_t *count)
{
    *count = form->count;
    return form->event;
}

uint64_t reel_text_form_address(const struct reel_text_form *form, const char *name)
{
    const struct reel_text_name *found = reel_text_find(form, name);
    return found ? found->address : 0;
}
