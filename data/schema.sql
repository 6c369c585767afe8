-- The trace: plain SQLite. Every column is documented in reel-schema(5).
-- Times are nanoseconds since the recording began. Ids are stable within the file.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value
) WITHOUT ROWID;

-- The vocabulary, so that a plain sqlite3 shell can name what it sees.
CREATE TABLE operation (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, meaning TEXT NOT NULL);
CREATE TABLE class (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, meaning TEXT NOT NULL);

CREATE TABLE process (
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    parent_pid INTEGER,
    parent INTEGER REFERENCES process(id),
    image_of INTEGER REFERENCES process(id),
    executable TEXT,
    command TEXT,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    exit_status INTEGER,
    signal INTEGER,
    traced INTEGER NOT NULL DEFAULT 1,
    note TEXT
);

CREATE TABLE thread (
    id INTEGER PRIMARY KEY,
    process INTEGER NOT NULL REFERENCES process(id),
    tid INTEGER NOT NULL,
    handle INTEGER,
    name TEXT,
    parent INTEGER REFERENCES thread(id),
    start_routine INTEGER,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER,
    end_reason TEXT,
    lost INTEGER NOT NULL DEFAULT 0,
    cpu_ns INTEGER
);

CREATE TABLE mapping (
    id INTEGER PRIMARY KEY,
    process INTEGER NOT NULL REFERENCES process(id),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    from_ns INTEGER NOT NULL,
    path TEXT,
    build_id TEXT,
    device INTEGER,          -- with inode and offset: what identifies shared memory
    inode INTEGER,
    shared INTEGER NOT NULL DEFAULT 0,
    executable INTEGER NOT NULL DEFAULT 0
);

-- One code address of one process, named after the run.
CREATE TABLE frame (
    id INTEGER PRIMARY KEY,
    process INTEGER NOT NULL REFERENCES process(id),
    address INTEGER NOT NULL,
    module TEXT,
    offset INTEGER,
    function TEXT,            -- the innermost, inlined ones included
    file TEXT,
    line INTEGER,
    inlined_into TEXT,        -- the function the code really belongs to
    UNIQUE (process, address)
);

-- A stack is a node: its innermost frame, and the stack of the caller.
CREATE TABLE stack (
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES stack(id),
    frame INTEGER NOT NULL REFERENCES frame(id),
    site INTEGER REFERENCES frame(id) -- the innermost frame of the program's own code
);

-- While recording: up to 4096 events of one stream, delta-varint columns.
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    process INTEGER NOT NULL,
    thread INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    count INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- What follows is made when the trace is sealed.

CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    process INTEGER REFERENCES process(id), -- NULL: shared between processes
    class INTEGER NOT NULL REFERENCES class(id),
    address INTEGER,
    generation INTEGER NOT NULL DEFAULT 1,
    ordinal INTEGER,          -- creation order within the thread that first used it
    creator INTEGER REFERENCES thread(id),
    name TEXT,
    site INTEGER REFERENCES stack(id), -- where it was initialised or first used
    first_ns INTEGER NOT NULL,
    last_ns INTEGER,
    capacity INTEGER,
    detail TEXT
);

-- Plain rows in exact global order. time_ns is the row id: unique, and the order itself.
CREATE TABLE event (
    time_ns INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES thread(id),
    operation INTEGER NOT NULL REFERENCES operation(id),
    class INTEGER NOT NULL REFERENCES class(id),
    object INTEGER REFERENCES object(id),
    argument INTEGER,
    stack INTEGER REFERENCES stack(id),
    flags INTEGER
);

CREATE TABLE event_extra (
    event INTEGER NOT NULL REFERENCES event(time_ns),
    position INTEGER NOT NULL,
    value,                    -- integer, or text where the operation says text
    PRIMARY KEY (event, position)
) WITHOUT ROWID;

-- What a thread was doing: no gaps and no overlaps within a thread's life.
CREATE TABLE interval (
    id INTEGER PRIMARY KEY,
    thread INTEGER NOT NULL REFERENCES thread(id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    state TEXT NOT NULL,      -- see reel-schema(5)
    object INTEGER REFERENCES object(id),   -- waited for
    owner INTEGER REFERENCES thread(id),    -- who held it when the wait began
    ended_by INTEGER REFERENCES thread(id), -- whose event ended the wait
    ended_event INTEGER,                    -- that event
    stack INTEGER REFERENCES stack(id),
    call TEXT
);

-- Who held a lock, from when to when.
CREATE TABLE hold (
    id INTEGER PRIMARY KEY,
    object INTEGER NOT NULL REFERENCES object(id),
    thread INTEGER NOT NULL REFERENCES thread(id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    mode TEXT NOT NULL,       -- exclusive | shared
    waited_ns INTEGER NOT NULL DEFAULT 0,
    stack INTEGER REFERENCES stack(id),
    released INTEGER NOT NULL DEFAULT 1 -- 0: still held when its thread or the trace ended
);

-- Where the recording has holes. Never silently.
CREATE TABLE gap (
    id INTEGER PRIMARY KEY,
    thread INTEGER REFERENCES thread(id),
    process INTEGER REFERENCES process(id),
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    lost INTEGER,             -- events; NULL when it cannot be known
    reason TEXT NOT NULL
);

-- Sums over `interval` and `hold`, made while sealing.
CREATE TABLE thread_state (
    thread INTEGER NOT NULL REFERENCES thread(id),
    state TEXT NOT NULL,
    count INTEGER NOT NULL,
    total_ns INTEGER NOT NULL,
    longest_ns INTEGER NOT NULL,
    PRIMARY KEY (thread, state)
) WITHOUT ROWID;

CREATE TABLE thread_wait (
    thread INTEGER NOT NULL REFERENCES thread(id),
    object INTEGER NOT NULL REFERENCES object(id), -- waited for; the loop of a callback
    state TEXT NOT NULL,
    count INTEGER NOT NULL,
    total_ns INTEGER NOT NULL,
    longest_ns INTEGER NOT NULL,
    PRIMARY KEY (thread, object, state)
) WITHOUT ROWID;

CREATE TABLE lock_total (
    object INTEGER PRIMARY KEY REFERENCES object(id),
    acquisitions INTEGER NOT NULL,
    contended INTEGER NOT NULL,
    wait_ns INTEGER NOT NULL,
    longest_wait_ns INTEGER NOT NULL,
    hold_ns INTEGER NOT NULL,
    longest_hold_ns INTEGER NOT NULL,
    handoffs INTEGER NOT NULL, -- acquisitions by another thread than the one before
    threads INTEGER NOT NULL
);

CREATE TABLE lock_site (
    id INTEGER PRIMARY KEY,
    object INTEGER NOT NULL REFERENCES object(id),
    stack INTEGER REFERENCES stack(id),
    acquisitions INTEGER NOT NULL,
    contended INTEGER NOT NULL,
    wait_ns INTEGER NOT NULL,
    hold_ns INTEGER NOT NULL,
    longest_hold_ns INTEGER NOT NULL
);

-- What the detectors say, the gravest first. Made by `reel check`; empty until then.
CREATE TABLE finding (
    id TEXT PRIMARY KEY,      -- "F-1a2b3c4d5e": the same in every run of the same build
    rank INTEGER NOT NULL,    -- from 1: the order to show them in
    kind TEXT NOT NULL,
    confidence TEXT NOT NULL, -- possible | proved | observed
    severity TEXT NOT NULL,   -- info | warning | error
    title TEXT NOT NULL,
    explanation TEXT NOT NULL,
    fix TEXT NOT NULL,
    key TEXT NOT NULL,        -- what the id is made from
    time_ns INTEGER,          -- when it became true; NULL: of the whole run
    end_ns INTEGER,           -- until when; NULL: to the end
    occurrences INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE finding_thread (
    finding TEXT NOT NULL REFERENCES finding(id),
    position INTEGER NOT NULL,
    thread INTEGER NOT NULL REFERENCES thread(id),
    PRIMARY KEY (finding, position)
) WITHOUT ROWID;

CREATE TABLE finding_object (
    finding TEXT NOT NULL REFERENCES finding(id),
    position INTEGER NOT NULL,
    object INTEGER NOT NULL REFERENCES object(id),
    PRIMARY KEY (finding, position)
) WITHOUT ROWID;

-- The evidence, in the order to tell it in.
CREATE TABLE finding_event (
    finding TEXT NOT NULL REFERENCES finding(id),
    position INTEGER NOT NULL,
    time_ns INTEGER,          -- of a row of `event`, or of a moment between two
    thread INTEGER REFERENCES thread(id),
    object INTEGER REFERENCES object(id),
    stack INTEGER REFERENCES stack(id),
    role TEXT NOT NULL,       -- "holds alice.lock, taken here" …
    PRIMARY KEY (finding, position)
) WITHOUT ROWID;

CREATE VIEW stack_frame AS
WITH RECURSIVE walk(stack, depth, node) AS (
    SELECT id, 0, id FROM stack
    UNION ALL
    SELECT walk.stack, walk.depth + 1, stack.parent
    FROM walk JOIN stack ON stack.id = walk.node WHERE stack.parent IS NOT NULL AND walk.depth < 256)
SELECT walk.stack, walk.depth, frame.function, frame.file, frame.line, frame.module, frame.address
FROM walk JOIN stack ON stack.id = walk.node JOIN frame ON frame.id = stack.frame;

-- Where a stack enters the program's own code: "pay (bank.c:30)".
CREATE VIEW stack_site AS
SELECT stack.id AS stack, frame.function, frame.file, frame.line, frame.module,
       coalesce(frame.function || CASE WHEN frame.line IS NULL THEN '' ELSE ' (' ||
           replace(frame.file, rtrim(frame.file, replace(frame.file, '/', '')), '') || ':' ||
           frame.line || ')' END, frame.module) AS text
FROM stack JOIN frame ON frame.id = coalesce(stack.site, stack.frame);

CREATE VIEW event_named AS
SELECT event.time_ns, thread.name AS thread, operation.name AS operation, class.name AS class,
       object.name AS object, event.argument, event.stack, event.flags
FROM event
JOIN thread ON thread.id = event.thread
JOIN operation ON operation.id = event.operation
JOIN class ON class.id = event.class
LEFT JOIN object ON object.id = event.object;
