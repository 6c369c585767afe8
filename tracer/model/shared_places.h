/* Where shared memory is: the resolver behind process-shared objects, from the trace's mappings. */
#ifndef REEL_MODEL_SHARED_PLACES_H
#define REEL_MODEL_SHARED_PLACES_H

#include "tracer/model/identity.h"
#include "tracer/store/trace.h"

struct reel_shared_places;

/* Reads the MAP_SHARED mappings of all processes. NULL and an error when that fails. */
struct reel_shared_places *reel_shared_places_new(struct reel_trace *trace,
                                                  struct reel_error *error);
void reel_shared_places_free(struct reel_shared_places *places);

/* For reel_identity_new: `places` must outlive the identity. A forked child that was not looked at
 * itself has its parent's mappings. */
struct reel_identity_resolver reel_shared_places_resolver(struct reel_shared_places *places);

#endif
