/* Lanes that fill in while their rows are still being read: each has an outline of the whole trace,
 * coarse but complete in the end, and the workers that read rows cut steps for it out of what they
 * have gathered. The lanes' real data take its place when all is read. */
#ifndef REEL_VIEWER_CONTENT_OUTLINE_H
#define REEL_VIEWER_CONTENT_OUTLINE_H

#include "viewer/content.h"
#include "viewer/core/gathering.h"

/* Gives an empty outline to each lane of a thread or lock. */
struct reel_outline_shape reel_content_make_outline(struct reel_content *content);

/* What one worker has cut so far; its gathering is its own. */
struct reel_outliner;
struct reel_outliner *reel_outliner_new(const struct reel_outline_shape *shape);
void reel_outliner_free(struct reel_outliner *outliner);
/* What was gathered since the last step; to be handed to another thread. NULL: nothing. */
struct reel_outline_step *reel_outliner_step(struct reel_outliner *outliner,
                                             const struct reel_gathering *gathering);

void reel_outline_step_free(struct reel_outline_step *step);
/* By the thread that draws the content. */
void reel_content_add_step(struct reel_content *content, const struct reel_outline_step *step);

#endif
