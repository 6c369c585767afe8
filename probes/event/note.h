/* The note that an instrumented program carries (probes/memory/stub.c): who starts it, recorder or
 * traced program, looks for it in the file. Reads a few hundred bytes; a damaged file has no note.
 */
#ifndef REEL_EVENT_NOTE_H
#define REEL_EVENT_NOTE_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

typedef ssize_t (*reel_note_read)(int descriptor, void *buffer, size_t size, off_t offset);

static inline bool reel_note_among(const char *notes, size_t size)
{
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) + 5 <= size;) {
        ElfW(Nhdr) note;
        memcpy(&note, notes + at, sizeof note);
        size_t name = at + sizeof note;
        if (note.n_namesz == 5 && note.n_type == 1 && memcmp(notes + name, "Reel", 5) == 0)
            return true;
        if (note.n_namesz > size || note.n_descsz > size)
            return false;
        at = name + ((note.n_namesz + 3u) & ~3u) + ((note.n_descsz + 3u) & ~3u);
    }
    return false;
}

static inline bool reel_note_in(int descriptor, reel_note_read read_at)
{
    ElfW(Ehdr) header;
    if (read_at(descriptor, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(ElfW(Phdr)))
        return false;
    for (unsigned i = 0; i < header.e_phnum && i < 128; i++) {
        ElfW(Phdr) segment;
        char notes[1024];
        if (read_at(descriptor, &segment, sizeof segment,
                    (off_t)(header.e_phoff + i * sizeof segment)) != (ssize_t)sizeof segment)
            return false;
        if (segment.p_type != PT_NOTE)
            continue;
        size_t size = segment.p_filesz < sizeof notes ? segment.p_filesz : sizeof notes;
        ssize_t got = read_at(descriptor, notes, size, (off_t)segment.p_offset);
        if (got > 0 && reel_note_among(notes, (size_t)got))
            return true;
    }
    return false;
}

#endif
