#include "tracer/error.h"

#include <stdio.h>
#include <string.h>

bool reel_error_set(struct reel_error *error, enum reel_error_code code, int number,
                    const char *format, ...)
{
    if (!error || error->code != REEL_ERROR_NONE)
        return false;
    error->code = code;
    error->number = number;
    error->hint[0] = '\0';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}

bool reel_error_hint(struct reel_error *error, const char *format, ...)
{
    if (!error)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->hint, sizeof error->hint, format, arguments);
    va_end(arguments);
    return false;
}

bool reel_error_prefix(struct reel_error *error, const char *format, ...)
{
    if (!error)
        return false;
    char context[sizeof error->message], whole[2 * sizeof error->message + 3];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context, sizeof context, format, arguments);
    va_end(arguments);
    snprintf(whole, sizeof whole, "%s: %s", context, error->message);
    memcpy(error->message, whole, sizeof error->message - 1);
    error->message[sizeof error->message - 1] = '\0';
    return false;
}
