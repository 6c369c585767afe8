#include "tracer/model/filter.h"

#include <string.h>

#include "tracer/model/state.h"
#include "tracer/model/time_text.h"

enum key {
    KEY_WORD,
    KEY_THREAD,
    KEY_PROCESS,
    KEY_OBJECT,
    KEY_LOCK,
    KEY_QUEUE,
    KEY_STATE,
    KEY_OP,
    KEY_CLASS,
    KEY_FUNCTION,
    KEY_FILE,
    KEY_CALL,
    KEY_LONGER,
    KEY_SHORTER,
    KEY_AT
};

static const struct {
    const char *name;
    enum key key;
} keys[] = {{"thread", KEY_THREAD},     {"process", KEY_PROCESS},
            {"pid", KEY_PROCESS},       {"object", KEY_OBJECT},
            {"lock", KEY_LOCK},         {"queue", KEY_QUEUE},
            {"state", KEY_STATE},       {"op", KEY_OP},
            {"class", KEY_CLASS},       {"func", KEY_FUNCTION},
            {"function", KEY_FUNCTION}, {"file", KEY_FILE},
            {"call", KEY_CALL},         {"at", KEY_AT}};

struct term {
    enum key key;
    bool negated;
    char **values; /* lower-case patterns */
    uint64_t from_ns, to_ns;
};

struct reel_filter {
    GArray *terms;
    GPtrArray *parameters; /* what the last SQL binds; owned by the terms */
};

static void term_clear(gpointer data)
{
    g_strfreev(((struct term *)data)->values);
}

/* Splits at blanks outside of quotes; the quotes go. */
static GPtrArray *split(const char *text)
{
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);
    while (*text) {
        while (*text == ' ' || *text == '\t')
            text++;
        if (!*text)
            break;
        GString *word = g_string_new(NULL);
        for (char quote = 0; *text && (quote || (*text != ' ' && *text != '\t')); text++) {
            if (!quote && (*text == '"' || *text == '\''))
                quote = *text;
            else if (quote && *text == quote)
                quote = 0;
            else
                g_string_append_c(word, *text);
        }
        g_ptr_array_add(words, g_string_free(word, FALSE));
    }
    return words;
}

static bool parse_range(struct term *term, const char *value, uint64_t end_ns,
                        struct reel_error *error)
{
    const char *dots = strstr(value, "..");
    if (!dots) {
        if (!reel_moment_parse(value, 0, end_ns, &term->from_ns, error))
            return false;
        term->to_ns = term->from_ns;
        return true;
    }
    g_autofree char *from = g_strndup(value, (gsize)(dots - value));
    term->from_ns = 0;
    term->to_ns = INT64_MAX;
    return (!*from || reel_moment_parse(from, 0, end_ns, &term->from_ns, error)) &&
           (!dots[2] || reel_moment_parse(dots + 2, 0, end_ns, &term->to_ns, error));
}

static bool parse_term(const char *word, uint64_t end_ns, struct term *term,
                       struct reel_error *error)
{
    memset(term, 0, sizeof *term);
    if (*word == '-' && word[1]) {
        term->negated = true;
        word++;
    }
    if (g_str_has_prefix(word, "dur") && (word[3] == '>' || word[3] == '<')) {
        term->key = word[3] == '>' ? KEY_LONGER : KEY_SHORTER;
        return reel_moment_parse(word + 4, 0, end_ns, &term->from_ns, error);
    }
    const char *colon = strchr(word, ':');
    const char *value = word;
    if (colon && colon[1] != ':') {
        bool known = false;
        for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
            if (strlen(keys[i].name) == (size_t)(colon - word) &&
                g_ascii_strncasecmp(keys[i].name, word, (gsize)(colon - word)) == 0) {
                term->key = keys[i].key;
                known = true;
            }
        if (!known) {
            reel_error_set(error, REEL_ERROR_USAGE, 0, "filter: there is no key '%.*s'",
                           (int)(colon - word), word);
            return reel_error_hint(error,
                                   "Keys: thread process object lock queue state op class "
                                   "func file call at; dur>TIME, dur<TIME; or a plain word.");
        }
        value = colon + 1;
    }
    if (term->key == KEY_AT)
        return parse_range(term, value, end_ns, error);
    g_autofree char *lower = g_utf8_strdown(value, -1);
    if (term->key == KEY_WORD) {
        term->values = g_new0(char *, 2);
        term->values[0] = g_strdup_printf("*%s*", lower);
    } else {
        term->values = g_strsplit(lower, ",", -1);
    }
    return true;
}

struct reel_filter *reel_filter_parse(const char *text, uint64_t end_ns, struct reel_error *error)
{
    struct reel_filter *filter = g_new0(struct reel_filter, 1);
    filter->terms = g_array_new(FALSE, TRUE, sizeof(struct term));
    g_array_set_clear_func(filter->terms, term_clear);
    filter->parameters = g_ptr_array_new();
    if (!g_utf8_validate(text, -1, NULL)) {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "filter: not UTF-8 text");
        reel_filter_free(filter);
        return NULL;
    }
    g_autoptr(GPtrArray) words = split(text);
    for (guint i = 0; i < words->len; i++) {
        struct term term;
        if (!parse_term(words->pdata[i], end_ns, &term, error)) {
            term_clear(&term);
            reel_filter_free(filter);
            return NULL;
        }
        g_array_append_val(filter->terms, term);
    }
    return filter;
}

void reel_filter_free(struct reel_filter *filter)
{
    if (!filter)
        return;
    g_array_free(filter->terms, TRUE);
    g_ptr_array_free(filter->parameters, TRUE);
    g_free(filter);
}

/* column GLOB ?n, for every alternative. A state may be named by its role too ("idle"). */
static void match(const struct reel_filter *filter, const struct term *term,
                  const char *const *columns, GString *sql)
{
    const char *separator = "(";
    for (char **value = term->values; *value; value++) {
        g_ptr_array_add(filter->parameters, *value);
        for (const char *const *column = columns; *column; column++) {
            g_string_append_printf(sql, "%slower(coalesce(%s,'')) GLOB ?%u", separator, *column,
                                   filter->parameters->len);
            separator = " OR ";
        }
    }
    g_string_append(sql, strcmp(separator, "(") == 0 ? "(0)" : ")");
}

static void match_states(const struct reel_filter *filter, const struct term *term, GString *sql)
{
    g_string_append(sql, "(0");
    for (char **value = term->values; *value; value++) {
        g_ptr_array_add(filter->parameters, *value);
        g_string_append_printf(sql, " OR i.state GLOB ?%u", filter->parameters->len);
        for (unsigned state = 0; state < REEL_STATE_COUNT; state++)
            if (strcmp(*value, reel_state_role_name(reel_state_role(state))) == 0)
                g_string_append_printf(sql, " OR i.state = '%s'", reel_state_name(state));
    }
    g_string_append_c(sql, ')');
}

#define LOCK_CLASSES  "3,4,5,7,11"
#define QUEUE_CLASSES "7,13,14,15,19,22"

/* Of events, of which there may be millions: the names are matched once, in the small table that
 * has them, and an event asks whether its number is among what was found. */
struct name_set {
    const char *column; /* of the event */
    const char *rows;   /* to be followed by a condition on `names` */
    const char *const *names;
    bool may_lack; /* an event without such a thing matches what "" matches */
};

static void match_set(const struct reel_filter *filter, const struct term *term,
                      const struct name_set *set, GString *sql)
{
    static const char *const nothing[] = {"''", NULL};
    g_string_append_printf(sql, "coalesce(%s IN (%s", set->column, set->rows);
    match(filter, term, set->names, sql);
    g_string_append(sql, "), ");
    if (set->may_lack)
        match(filter, term, nothing, sql);
    else
        g_string_append_c(sql, '0');
    g_string_append_c(sql, ')');
}

#define STACKS "SELECT s.id FROM stack s JOIN frame f ON f.id = coalesce(s.site, s.frame) WHERE "

/* False when the term is not about names. */
static bool match_event(const struct reel_filter *filter, const struct term *term, GString *sql)
{
    static const char *const thread[] = {"t.name", "CAST(t.tid AS TEXT)", NULL};
    static const char *const thread_name[] = {"t.name", NULL};
    static const char *const process[] = {"p.command", "p.executable", "CAST(p.pid AS TEXT)", NULL};
    static const char *const object[] = {"o.name", NULL};
    static const char *const function[] = {"f.function", NULL};
    static const char *const file[] = {"f.file", "f.module", NULL};
    static const char *const source[] = {"f.function", "f.file", NULL};
    static const char *const operation[] = {"op.name", NULL};
    static const char *const class[] = {"c.name", NULL};
    static const struct name_set sets[] = {
        [KEY_THREAD] = {"e.thread", "SELECT t.id FROM thread t WHERE ", thread, false},
        [KEY_PROCESS] = {"e.thread",
                         "SELECT t.id FROM thread t JOIN process p ON p.id = t.process WHERE ",
                         process, false},
        [KEY_OBJECT] = {"e.object", "SELECT o.id FROM object o WHERE ", object, true},
        [KEY_LOCK] = {"e.object",
                      "SELECT o.id FROM object o WHERE o.class IN (" LOCK_CLASSES ") AND ", object,
                      false},
        [KEY_QUEUE] = {"e.object",
                       "SELECT o.id FROM object o WHERE o.class IN (" QUEUE_CLASSES ") AND ",
                       object, false},
        [KEY_OP] = {"e.operation", "SELECT op.id FROM operation op WHERE ", operation, false},
        [KEY_CLASS] = {"e.class", "SELECT c.id FROM class c WHERE ", class, false},
        [KEY_FUNCTION] = {"e.stack", STACKS, function, true},
        [KEY_FILE] = {"e.stack", STACKS, file, true},
    };
    static const struct name_set words[] = {
        {"e.thread", "SELECT t.id FROM thread t WHERE ", thread_name, false},
        {"e.object", "SELECT o.id FROM object o WHERE ", object, false},
        {"e.stack", STACKS, source, false},
    };
    if (term->key == KEY_WORD) {
        for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
            g_string_append(sql, i ? " OR " : "(");
            match_set(filter, term, &words[i], sql);
        }
        g_string_append_c(sql, ')');
        return true;
    }
    if (term->key >= G_N_ELEMENTS(sets) || !sets[term->key].column)
        return false;
    match_set(filter, term, &sets[term->key], sql);
    return true;
}

/* A plain name of a file matches the end of a path. */
static void open_file_patterns(const struct term *term)
{
    for (char **value = term->values; *value; value++)
        if (**value != '*' && **value != '/') {
            char *open = g_strdup_printf("*%s", *value);
            g_free(*value);
            *value = open;
        }
}

static bool term_sql(const struct reel_filter *filter, const struct term *term,
                     enum reel_filter_target target, GString *sql, struct reel_error *error)
{
    static const char *const thread[] = {"t.name", "CAST(t.tid AS TEXT)", NULL};
    static const char *const process[] = {"p.command", "p.executable", "CAST(p.pid AS TEXT)", NULL};
    static const char *const object[] = {"o.name", NULL};
    static const char *const function[] = {"f.function", NULL};
    static const char *const file[] = {"f.file", "f.module", NULL};
    static const char *const call[] = {"i.call", NULL};
    static const char *const words[] = {"t.name", "o.name", "f.function", "f.file", NULL};
    bool events = target == REEL_FILTER_EVENTS;
    if (term->key == KEY_FILE)
        open_file_patterns(term);
    if (events && match_event(filter, term, sql))
        return true;
    switch (term->key) {
    case KEY_WORD:
        match(filter, term, words, sql);
        return true;
    case KEY_THREAD:
        match(filter, term, thread, sql);
        return true;
    case KEY_PROCESS:
        match(filter, term, process, sql);
        return true;
    case KEY_OBJECT:
        match(filter, term, object, sql);
        return true;
    case KEY_LOCK:
    case KEY_QUEUE:
        g_string_append_printf(sql, "(o.class IN (%s) AND ",
                               term->key == KEY_LOCK ? LOCK_CLASSES : QUEUE_CLASSES);
        match(filter, term, object, sql);
        g_string_append_c(sql, ')');
        return true;
    case KEY_FUNCTION:
        match(filter, term, function, sql);
        return true;
    case KEY_FILE:
        match(filter, term, file, sql);
        return true;
    case KEY_AT:
        g_string_append_printf(sql,
                               events ? "(e.time_ns BETWEEN %llu AND %llu)"
                                      : "(i.end_ns >= %llu AND i.start_ns <= %llu)",
                               (unsigned long long)term->from_ns, (unsigned long long)term->to_ns);
        return true;
    case KEY_OP:
    case KEY_CLASS:
        break; /* of events only: see match_event */
    case KEY_STATE:
    case KEY_CALL:
    case KEY_LONGER:
    case KEY_SHORTER:
        if (events)
            break;
        if (term->key == KEY_STATE)
            match_states(filter, term, sql);
        else if (term->key == KEY_CALL)
            match(filter, term, call, sql);
        else
            g_string_append_printf(sql, "(i.end_ns - i.start_ns %c %llu)",
                                   term->key == KEY_LONGER ? '>' : '<',
                                   (unsigned long long)term->from_ns);
        return true;
    }
    return reel_error_set(error, REEL_ERROR_USAGE, 0, "filter: %s have no %s",
                          events ? "events" : "intervals",
                          term->key == KEY_STATE   ? "state"
                          : term->key == KEY_CALL  ? "call"
                          : term->key == KEY_OP    ? "op"
                          : term->key == KEY_CLASS ? "class"
                                                   : "duration");
}

bool reel_filter_sql(const struct reel_filter *filter, enum reel_filter_target target, GString *sql,
                     struct reel_error *error)
{
    g_ptr_array_set_size(filter->parameters, 0);
    g_string_append_c(sql, '1');
    for (guint i = 0; i < filter->terms->len; i++) {
        const struct term *term = &g_array_index(filter->terms, struct term, i);
        g_string_append(sql, term->negated ? " AND NOT " : " AND ");
        if (!term_sql(filter, term, target, sql, error))
            return false;
    }
    return true;
}

void reel_filter_bind(const struct reel_filter *filter, sqlite3_stmt *statement)
{
    for (guint i = 0; i < filter->parameters->len; i++)
        sqlite3_bind_text(statement, (int)i + 1, filter->parameters->pdata[i], -1, SQLITE_STATIC);
}
