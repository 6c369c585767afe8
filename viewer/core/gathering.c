#include "viewer/core/gathering.h"

#include <string.h>

#include "viewer/core/loop_steps.h"

static void clear_thread(gpointer data)
{
    struct reel_gathered_thread *thread = data;
    if (!thread)
        return;
    reel_lane_data_clear(&thread->states);
    reel_lane_data_clear(&thread->spans);
    reel_spans_clear(&thread->held);
    g_clear_pointer(&thread->open, g_array_unref);
    g_free(thread);
}

static void clear_object(gpointer data)
{
    struct reel_gathered_object *object = data;
    if (!object)
        return;
    reel_lane_data_clear(&object->owners);
    reel_lane_data_clear(&object->steps);
    reel_spans_clear(&object->waits);
    reel_spans_clear(&object->shared);
    reel_depth_data_clear(&object->depth);
    g_free(object);
}

struct reel_gathering *reel_gathering_new(void)
{
    struct reel_gathering *gathering = g_new0(struct reel_gathering, 1);
    gathering->threads = g_ptr_array_new_with_free_func(clear_thread);
    gathering->objects = g_ptr_array_new_with_free_func(clear_object);
    return gathering;
}

void reel_gathering_free(struct reel_gathering *gathering)
{
    if (!gathering)
        return;
    g_ptr_array_unref(gathering->threads);
    g_ptr_array_unref(gathering->objects);
    g_free(gathering);
}

void reel_spans_clear(struct reel_spans *spans)
{
    g_clear_pointer(&spans->begin, g_array_unref);
    g_clear_pointer(&spans->end, g_array_unref);
}

static void add_span(struct reel_spans *spans, uint64_t begin, uint64_t end)
{
    if (!spans->begin) {
        spans->begin = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        spans->end = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    }
    g_array_append_val(spans->begin, begin);
    g_array_append_val(spans->end, end);
}

struct reel_gathered_thread *reel_gathering_thread(const struct reel_gathering *gathering,
                                                   uint32_t thread)
{
    return thread < gathering->threads->len ? gathering->threads->pdata[thread] : NULL;
}

struct reel_gathered_object *reel_gathering_object(const struct reel_gathering *gathering,
                                                   uint32_t object)
{
    return object < gathering->objects->len ? gathering->objects->pdata[object] : NULL;
}

static struct reel_gathered_thread *thread_at(struct reel_gathering *gathering, uint32_t number)
{
    if (number >= gathering->threads->len)
        g_ptr_array_set_size(gathering->threads, (gint)number + 1);
    struct reel_gathered_thread *thread = gathering->threads->pdata[number];
    if (!thread)
        gathering->threads->pdata[number] = thread = g_new0(struct reel_gathered_thread, 1);
    return thread;
}

static struct reel_gathered_object *object_at(struct reel_gathering *gathering, uint32_t id)
{
    if (id >= gathering->objects->len)
        g_ptr_array_set_size(gathering->objects, (gint)id + 1);
    struct reel_gathered_object *object = gathering->objects->pdata[id];
    if (!object) {
        gathering->objects->pdata[id] = object = g_new0(struct reel_gathered_object, 1);
        object->step = REEL_LANE_NOTHING;
    }
    return object;
}

static void append(struct reel_gathering *gathering, struct reel_lane_data *lane, uint64_t start_ns,
                   uint64_t end_ns, enum reel_state state, uint32_t object)
{
    if (!reel_lane_data_append(lane, start_ns, end_ns, state, object))
        gathering->out_of_memory = TRUE;
}

void reel_gathering_interval(struct reel_gathering *gathering, uint32_t thread, uint64_t start_ns,
                             uint64_t end_ns, enum reel_state state, uint32_t object)
{
    append(gathering, &thread_at(gathering, thread)->states, start_ns, end_ns, state, object);
    if (!object)
        return;
    if (state == REEL_STATE_LOCK_WAIT || state == REEL_STATE_GIL_WAIT)
        add_span(&object_at(gathering, object)->waits, start_ns, end_ns);
    else if (state == REEL_STATE_LOOP_WAIT)
        thread_at(gathering, thread)->has_loop = TRUE;
}

void reel_gathering_hold(struct reel_gathering *gathering, uint32_t object, uint32_t thread,
                         uint64_t start_ns, uint64_t end_ns, gboolean shared)
{
    struct reel_gathered_object *lock = object_at(gathering, object);
    if (shared)
        add_span(&lock->shared, start_ns, end_ns);
    else
        append(gathering, &lock->owners, start_ns, end_ns, REEL_STATE_RUNNING, thread);
    add_span(&thread_at(gathering, thread)->held, start_ns, end_ns);
}

void reel_gathering_depth(struct reel_gathering *gathering, uint32_t object, uint64_t time_ns,
                          int64_t depth)
{
    /* A write is told before the read that it allowed has been: less than nothing is nothing. */
    int32_t shown = (int32_t)CLAMP(depth, 0, INT32_MAX);
    if (!reel_depth_data_append(&object_at(gathering, object)->depth, time_ns, shown))
        gathering->out_of_memory = TRUE;
}

/* What a task's state looks like on its lane. */
static uint8_t state_of_task(unsigned task_state)
{
    switch (task_state) {
    case REEL_TASK_CREATED:
    case REEL_TASK_READY:
        return REEL_STATE_RUNNABLE;
    case REEL_TASK_RUNNING:
        return REEL_STATE_RUNNING;
    case REEL_TASK_WAITING:
        return REEL_STATE_QUEUE_WAIT;
    default:
        return REEL_LANE_NOTHING;
    }
}

static void end_step(struct reel_gathering *gathering, struct reel_gathered_object *task,
                     uint64_t time_ns)
{
    if (task->step != REEL_LANE_NOTHING)
        append(gathering, &task->steps, task->step_since_ns, time_ns, (enum reel_state)task->step,
               0);
}

void reel_gathering_task(struct reel_gathering *gathering, uint32_t id, uint64_t time_ns,
                         unsigned task_state)
{
    struct reel_gathered_object *task = object_at(gathering, id);
    end_step(gathering, task, time_ns);
    task->step = state_of_task(task_state);
    task->step_since_ns = time_ns;
}

static void end_span(struct reel_gathering *gathering, struct reel_gathered_thread *thread,
                     uint64_t time_ns)
{
    if (thread->open && thread->open->len)
        append(gathering, &thread->spans, thread->span_since_ns, time_ns, REEL_STATE_RUNNING,
               g_array_index(thread->open, uint32_t, thread->open->len - 1));
    thread->span_since_ns = time_ns;
}

void reel_gathering_span(struct reel_gathering *gathering, uint32_t number, uint64_t time_ns,
                         uint32_t span, gboolean begins)
{
    struct reel_gathered_thread *thread = thread_at(gathering, number);
    end_span(gathering, thread, time_ns);
    if (!thread->open)
        thread->open = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (begins)
        g_array_append_val(thread->open, span);
    else if (thread->open->len)
        g_array_set_size(thread->open, thread->open->len - 1);
}

void reel_gathering_closed(struct reel_gathering *gathering, uint32_t loop, uint64_t time_ns)
{
    object_at(gathering, loop)->closed_ns = time_ns;
}

static uint64_t closed_ns(gconstpointer data, uint32_t loop)
{
    const struct reel_gathered_object *object = reel_gathering_object(data, loop);
    return object && object->closed_ns ? object->closed_ns : UINT64_MAX;
}

static int compare_steps(gconstpointer a, gconstpointer b)
{
    const struct reel_loop_step *left = a, *right = b;
    return left->start_ns < right->start_ns ? -1 : left->start_ns > right->start_ns;
}

/* Several threads may turn the same loop, by turns. */
static void add_loop_steps(struct reel_gathering *gathering)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(struct reel_loop_step));
    for (guint i = 0; i < gathering->threads->len; i++) {
        const struct reel_gathered_thread *thread = gathering->threads->pdata[i];
        if (thread && thread->has_loop)
            reel_loop_steps_collect(&thread->states, i, closed_ns, gathering, steps);
    }
    g_array_sort(steps, compare_steps);
    for (guint i = 0; i < steps->len; i++) {
        const struct reel_loop_step *step = &g_array_index(steps, struct reel_loop_step, i);
        append(gathering, &object_at(gathering, step->loop)->steps, step->start_ns, step->end_ns,
               (enum reel_state)step->state, step->thread);
    }
}

void reel_gathering_finish(struct reel_gathering *gathering, uint64_t end_ns)
{
    add_loop_steps(gathering);
    for (guint i = 0; i < gathering->threads->len; i++)
        if (gathering->threads->pdata[i])
            end_span(gathering, gathering->threads->pdata[i], end_ns);
    for (guint i = 0; i < gathering->objects->len; i++)
        if (gathering->objects->pdata[i])
            end_step(gathering, gathering->objects->pdata[i], end_ns);
}

static void join_lane(struct reel_gathering *gathering, struct reel_lane_data *lane,
                      struct reel_lane_data *later)
{
    if (lane->count == 0) {
        reel_lane_data_clear(lane);
        *lane = *later;
        reel_lane_data_init(later);
        return;
    }
    for (size_t i = 0; i < later->count; i++)
        if (later->state[i] != REEL_LANE_NOTHING)
            append(gathering, lane, later->start[i], later->start[i + 1],
                   (enum reel_state)later->state[i], later->object[i]);
}

static void join_spans(struct reel_spans *spans, struct reel_spans *later)
{
    if (!later->begin)
        return;
    if (!spans->begin) {
        *spans = *later;
        *later = (struct reel_spans){0};
        return;
    }
    g_array_append_vals(spans->begin, later->begin->data, later->begin->len);
    g_array_append_vals(spans->end, later->end->data, later->end->len);
}

void reel_gathering_join(struct reel_gathering *gathering, struct reel_gathering *later)
{
    for (guint i = 0; i < later->threads->len; i++) {
        struct reel_gathered_thread *from = later->threads->pdata[i];
        if (!from)
            continue;
        struct reel_gathered_thread *to = thread_at(gathering, i);
        join_lane(gathering, &to->states, &from->states);
        join_lane(gathering, &to->spans, &from->spans);
        join_spans(&to->held, &from->held);
        to->has_loop |= from->has_loop;
    }
    for (guint i = 0; i < later->objects->len; i++) {
        struct reel_gathered_object *from = later->objects->pdata[i];
        if (!from)
            continue;
        struct reel_gathered_object *to = object_at(gathering, i);
        join_lane(gathering, &to->owners, &from->owners);
        join_lane(gathering, &to->steps, &from->steps);
        join_spans(&to->waits, &from->waits);
        join_spans(&to->shared, &from->shared);
        if (from->depth.count) {
            reel_depth_data_clear(&to->depth);
            to->depth = from->depth;
            from->depth = (struct reel_depth_data){0};
        }
    }
    gathering->out_of_memory |= later->out_of_memory;
    reel_gathering_free(later);
}
