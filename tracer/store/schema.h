/* The text of data/schema.sql, embedded at build time (data/embed.py). */
#ifndef REEL_STORE_SCHEMA_H
#define REEL_STORE_SCHEMA_H

extern const char reel_schema_sql[];

#endif
