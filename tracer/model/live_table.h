/* The table `event` of a trace that is not sealed: the same columns and the same rows, made on the
 * fly from the chunks. `SELECT … FROM event` works on a recording in progress and on what a crash
 * left, without writing to the file. Every scan reads all chunks from the beginning; it stops early
 * when a bound on time_ns says so. */
#ifndef REEL_MODEL_LIVE_TABLE_H
#define REEL_MODEL_LIVE_TABLE_H

#include "tracer/store/trace.h"

/* Puts temp.event before main.event on the trace's connection. The trace must outlive its use, and
 * must not be sealed before reel_live_table_remove. Does nothing on a sealed trace. */
bool reel_live_table_register(struct reel_trace *trace, struct reel_error *error);
bool reel_live_table_remove(struct reel_trace *trace, struct reel_error *error);

#endif
