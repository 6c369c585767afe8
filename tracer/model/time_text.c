#include "tracer/model/time_text.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

const char *reel_duration_text(uint64_t ns, bool ascii, char *text)
{
    static const struct {
        double unit;
        const char *name, *ascii;
    } units[] = {{1e9, "s", "s"}, {1e6, "ms", "ms"}, {1e3, "µs", "us"}};
    if (ns >= 120000000000u) {
        snprintf(text, REEL_TIME_TEXT, "%llu min %llu s", (unsigned long long)(ns / 60000000000u),
                 (unsigned long long)(ns / 1000000000u % 60));
        return text;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        double value = (double)ns / units[i].unit;
        if (value < 0.9995)
            continue;
        snprintf(text, REEL_TIME_TEXT,
                 value < 9.995   ? "%.2f %s"
                 : value < 99.95 ? "%.1f %s"
                                 : "%.0f %s",
                 value, ascii ? units[i].ascii : units[i].name);
        return text;
    }
    snprintf(text, REEL_TIME_TEXT, "%llu ns", (unsigned long long)ns);
    return text;
}

const char *reel_moment_text(uint64_t ns, uint64_t resolution_ns, char *text)
{
    int digits = 9;
    for (uint64_t step = 1; digits > 3 && step * 10 <= resolution_ns; step *= 10)
        digits--;
    snprintf(text, REEL_TIME_TEXT, "%.*f s", digits, (double)ns / 1e9);
    return text;
}

bool reel_moment_parse(const char *text, uint64_t now_ns, uint64_t end_ns, uint64_t *ns,
                       struct reel_error *error)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},  {"us", 1e3},   {"µs", 1e3}, {"ms", 1e6},
                 {"s", 1e9}, {"min", 60e9}, {"", 1}};
    const char *at = text;
    char sign = 0;
    while (*at == ' ')
        at++;
    if (*at == '@')
        at++;
    if (*at == '+' || *at == '-')
        sign = *at++;
    char *end;
    double value = g_ascii_strtod(at, &end);
    while (*end == ' ')
        end++;
    if (end != at && value >= 0 && value < 1e19) {
        if (strcmp(end, "%") == 0 && !sign) {
            *ns = (uint64_t)((double)end_ns * MIN(value, 100.0) / 100.0);
            return true;
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
            if (strcmp(end, units[i].name) != 0)
                continue;
            double span = value * units[i].ns;
            if (span > 9e18)
                break;
            uint64_t step = (uint64_t)span;
            *ns = !sign ? step : sign == '+' ? now_ns + step : step > now_ns ? 0 : now_ns - step;
            return true;
        }
    }
    reel_error_set(error, REEL_ERROR_USAGE, 0, "'%s' is not a time", text);
    return reel_error_hint(error, "Examples: 2.03s, 150ms, 12us, 800ns, 41%%.");
}
