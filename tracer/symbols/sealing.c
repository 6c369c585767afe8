#include "tracer/symbols/sealing.h"

#include "tracer/symbols/symbols.h"

/* The model asks for names; the symbols know them. */
static const char *symbol_of(void *data, uint32_t process, uint64_t address)
{
    struct reel_symbols *symbols = data;
    struct reel_symbol symbol;
    const char *variable = reel_symbols_variable(symbols, process, address);
    if (variable)
        return variable;
    return reel_symbols_entry(symbols, process, address, &symbol) ? symbol.function : NULL;
}

static bool site_of(void *data, uint32_t stack, struct reel_name_site *site)
{
    struct reel_symbol_site found;
    if (!reel_symbols_site(data, stack, &found))
        return false;
    site->expression = found.expression;
    site->file = found.file;
    site->line = (unsigned)found.line;
    return true;
}

static const char *field_of(void *data, uint32_t stack, uint64_t size, uint64_t offset)
{
    return reel_symbols_field(data, stack, size, offset);
}

bool reel_seal_named(struct reel_trace *trace, const struct reel_sealing_options *options,
                     struct reel_seal_result *result, struct reel_error *error)
{
    struct reel_symbols *symbols = reel_symbols_new(trace, error);
    if (!symbols)
        return false;
    const struct reel_seal_options seal = {
        .writer = REEL_ROWS_PAGES,
        .tolerant = options->tolerant,
        .progress = options->progress,
        .progress_data = options->progress_data,
        .names = {.symbol = symbol_of, .site = site_of, .field = field_of, .data = symbols},
    };
    bool good = reel_symbols_name_frames(symbols, error) && reel_seal(trace, &seal, result, error);
    reel_symbols_free(symbols);
    return good;
}
