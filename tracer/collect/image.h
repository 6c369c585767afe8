/* An executable file: can the probe be loaded into what runs it? */
#ifndef REEL_COLLECT_IMAGE_H
#define REEL_COLLECT_IMAGE_H

/* Why a program that ran without the probe did so, as far as its file tells; `path` as it was given
 * to exec (looked for in PATH when it has no slash), NULL: not known. A constant text. */
const char *reel_image_unrecorded_reason(const char *path);

#endif
