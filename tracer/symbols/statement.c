#include "tracer/symbols/statement.h"

#include <string.h>

#define AROUND 8 /* lines before and behind that a statement may have */

static bool is_word(char c)
{
    return g_ascii_isalnum(c) || c == '_';
}

/* Appends a line without its comments; strings become empty. `*inside`: of a comment. */
static void append_code(GString *code, const char *line, bool *inside)
{
    for (const char *at = line; *at; at++) {
        if (*inside) {
            if (at[0] == '*' && at[1] == '/') {
                *inside = false;
                at++;
            }
        } else if (at[0] == '/' && at[1] == '*') {
            *inside = true;
            at++;
        } else if (at[0] == '*' && at[1] == '/') { /* all so far was one */
            g_string_truncate(code, 0);
            at++;
        } else if (at[0] == '/' && at[1] == '/') {
            break;
        } else if (*at == '"' || *at == '\'') {
            char quote = *at;
            while (at[1] && at[1] != quote)
                at += at[1] == '\\' && at[2] ? 2 : 1;
            g_string_append(code, "\"\"");
            if (!*++at)
                break;
        } else {
            g_string_append_c(code, *at);
        }
    }
    g_string_append_c(code, ' ');
}

static bool is_end(char c)
{
    return c == ';' || c == '{' || c == '}';
}

GPtrArray *reel_statements_at(struct reel_sources *sources, const char *file, int line)
{
    if (!reel_sources_line(sources, file, line))
        return NULL;
    g_autoptr(GString) code = g_string_new(NULL);
    gsize begin = 0, end = 0;
    bool inside = false;
    for (int i = line > AROUND ? line - AROUND : 1; i <= line + AROUND; i++) {
        const char *text = reel_sources_line(sources, file, i);
        if (!text)
            break;
        if (i == line)
            begin = code->len;
        if (*text == '#') /* a directive is no part of a statement */
            text = "";
        append_code(code, text, &inside);
        if (i == line)
            end = code->len;
    }
    begin = MIN(begin, code->len);
    end = MIN(end, code->len);
    while (begin > 0 && !is_end(code->str[begin - 1]))
        begin--;
    while (end < code->len && !is_end(code->str[end - 1]))
        end++;
    GPtrArray *statements = g_ptr_array_new_with_free_func(g_free);
    for (gsize at = begin; at < end;) {
        gsize stop = at;
        while (stop < end && !is_end(code->str[stop]))
            stop++;
        char *statement = g_strstrip(g_strndup(code->str + at, stop - at));
        if (*statement)
            g_ptr_array_add(statements, statement);
        else
            g_free(statement);
        at = stop + 1;
    }
    return statements;
}

/* The bracket that closes the one at `open`; NULL: none does. */
static const char *closing(const char *open)
{
    int depth = 0;
    for (const char *at = open; *at; at++) {
        depth += *at == '(' || *at == '[';
        depth -= *at == ')' || *at == ']';
        if (depth == 0)
            return at;
    }
    return NULL;
}

/* Where a word stands by itself, from `at` on; NULL: nowhere. */
static const char *find_word(const char *at, const char *begin, const char *word)
{
    size_t length = strlen(word);
    while ((at = strstr(at, word))) {
        if ((at == begin || !is_word(at[-1])) && !is_word(at[length]))
            return at;
        at += length;
    }
    return NULL;
}

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* The end of an expression of names, members, calls of none, and indices. */
static const char *end_of_expression(const char *at)
{
    at = skip_space(at);
    while (*at == '*' || *at == '&' || *at == ' ')
        at++;
    while (*at) {
        const char *next = skip_space(at);
        if (is_word(*at) || *at == '.') {
            at++;
        } else if (at[0] == '-' && at[1] == '>') {
            at += 2;
        } else if (*next == '[' && closing(next)) {
            at = closing(next) + 1;
        } else {
            break;
        }
    }
    return at;
}

static void read_sizes(const char *statement, struct reel_allocation_words *words)
{
    bool differ = false;
    for (const char *at = statement; (at = find_word(at, statement, "sizeof"));) {
        const char *begin = skip_space(at + strlen("sizeof")), *end;
        g_autofree char *operand = NULL;
        if (*begin == '(' && closing(begin)) {
            end = closing(begin) + 1;
            operand = g_strndup(begin + 1, (gsize)(end - begin - 2));
        } else {
            end = end_of_expression(begin);
            operand = g_strndup(begin, (gsize)(end - begin));
        }
        g_strstrip(operand);
        differ |= words->operand && strcmp(words->operand, operand) != 0;
        if (!words->operand)
            words->operand = g_strdup(operand);
        const char *before = at;
        while (before > statement && before[-1] == ' ')
            before--;
        char last = before > statement ? before[-1] : '(', next = *skip_space(end);
        words->has_more |= last == '+' || next == '+';
        words->is_array |= last == '*' || last == ',' || next == '*' || next == ',';
        at = end;
    }
    if (differ)
        g_clear_pointer(&words->operand, g_free);
    words->is_array &= !words->has_more;
}

static void read_new(const char *statement, struct reel_allocation_words *words)
{
    const char *at = find_word(statement, statement, "new");
    if (!at)
        return;
    const char *begin = skip_space(at + strlen("new"));
    if (*begin == '(' && closing(begin)) /* a placement, or nothrow */
        begin = skip_space(closing(begin) + 1);
    const char *end = begin;
    while (is_word(*end) || *end == ':')
        end++;
    if (*end == '<') { /* of a template */
        int depth = 0;
        for (const char *inner = end; *inner; inner++) {
            depth += *inner == '<';
            depth -= *inner == '>';
            if (depth == 0) {
                end = inner + 1;
                break;
            }
        }
    }
    if (end == begin)
        return;
    words->made = g_strndup(begin, (gsize)(end - begin));
    words->is_array = *skip_space(end) == '[';
    words->has_more = false;
}

/* Is this a single = ? */
static bool is_assignment(const char *statement, const char *at)
{
    return *at == '=' && at[1] != '=' && (at == statement || !strchr("=<>!+-*/%&|^", at[-1]));
}

/* The expression that ends at `end`, backwards. */
static const char *begin_of_expression(const char *statement, const char *end)
{
    const char *at = end;
    while (at > statement) {
        if (is_word(at[-1]) || at[-1] == '.') {
            at--;
        } else if (at - statement >= 2 && at[-1] == '>' && at[-2] == '-') {
            at -= 2;
        } else if (at[-1] == ']') {
            int depth = 0;
            do {
                at--;
                depth += *at == ']';
                depth -= *at == '[';
            } while (depth && at > statement);
            if (depth)
                return end;
        } else {
            break;
        }
    }
    return at;
}

static void read_target(const char *statement, struct reel_allocation_words *words)
{
    const char *assigned = NULL;
    words->returned = g_str_has_prefix(statement, "return") && !is_word(statement[6]);
    for (const char *at = statement; *at; at++)
        if (is_assignment(statement, at))
            assigned = at;
    if (!assigned)
        return;
    const char *end = assigned;
    while (end > statement && end[-1] == ' ')
        end--;
    const char *begin = begin_of_expression(statement, end);
    if (begin == end)
        return;
    /* A star before it is of a declaration, unless nothing that may be a type is before that. */
    const char *before = begin;
    unsigned stars = 0;
    while (before > statement && (before[-1] == ' ' || before[-1] == '*'))
        stars += *--before == '*';
    bool declares = before > statement && (is_word(before[-1]) || before[-1] == '>');
    g_autofree char *name = g_strndup(begin, (gsize)(end - begin));
    g_autofree char *star = g_strnfill(declares ? 0 : stars, '*');
    words->target = g_strconcat(star, name, NULL);
}

void reel_allocation_words_read(const char *statement, struct reel_allocation_words *words)
{
    *words = (struct reel_allocation_words){0};
    read_sizes(statement, words);
    read_new(statement, words);
    read_target(statement, words);
    words->allocates = words->made || strchr(statement, '(');
}

void reel_allocation_words_clear(struct reel_allocation_words *words)
{
    g_free(words->target);
    g_free(words->operand);
    g_free(words->made);
    *words = (struct reel_allocation_words){0};
}
