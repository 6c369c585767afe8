/* Memory asked for in the ways in which C asks for it. The test loads this, hands the memory out,
 * and asks what it is for; each function is one site. */
#include <stddef.h>

#define SITE __attribute__((noinline, visibility("default")))

struct stats {
    long misses, hits;
    char name[24];
};
struct item {
    int kind;
    long count[2];
    unsigned ready : 1, done : 1;
};
struct row {
    int length;
    short cell[];
};
typedef struct {
    long x, y;
} point;
struct one {
    long a[5];
};
struct other {
    double b[5];
};
struct node {
    struct node *next;
    point at;
};
struct named_node {
    struct node base;
    long number[4];
};
struct unheard { /* of which there is nothing but its size */
    struct node base;
    long number[5];
};
struct table {
    struct item *items;
    point **points;
    void *rest;
};

void *(*hand_out)(size_t size); /* set by the test */
struct table shared;
struct named_node *last;
void *kept[4];

SITE void declared(void)
{
    struct stats *made = hand_out(sizeof *made);
    kept[0] = made;
}

SITE void assigned_to_a_member(struct table *table, size_t many)
{
    table->items = hand_out(many * sizeof *table->items);
}

SITE void of_pointers(size_t many)
{
    shared.points = hand_out(many * sizeof(*shared.points));
}

SITE void measured_by_type(void)
{
    kept[1] = hand_out(sizeof(struct stats));
}

SITE void keep(int at, void *memory)
{
    kept[at] = memory;
}

SITE void passed_on(void)
{
    keep(2, hand_out(sizeof(point)));
}

SITE void with_a_tail(size_t cells)
{
    struct row *row = hand_out(sizeof *row + cells * sizeof row->cell[0]);
    kept[3] = row;
}

SITE void with_bytes_behind(size_t bytes)
{
    struct stats *made = hand_out(sizeof(struct stats) + bytes);
    kept[3] = made;
}

SITE void larger_than_it_seems(void)
{
    struct node *node = hand_out(sizeof(struct named_node));
    kept[3] = node;
}

SITE void of_a_type_unheard_of(void)
{
    struct node *node = hand_out(sizeof(struct unheard));
    kept[3] = node;
}

/* Here the source says nothing: what is in sight has to do. */
SITE void *one_in_sight(size_t bytes)
{
    struct stats *made;
    void *memory = hand_out(bytes);
    made = memory;
    made->hits = 1;
    kept[0] = made;
    return NULL;
}

SITE int two_in_sight(size_t bytes, int which)
{
    struct one *one;
    struct other *other;
    void *memory = hand_out(bytes);
    one = memory;
    other = memory;
    kept[0] = which ? (void *)&one->a[1] : (void *)&other->b[2];
    return which;
}

SITE int bytes_alone(size_t bytes)
{
    char *text = hand_out(bytes);
    kept[0] = text;
    return 0;
}

static inline __attribute__((always_inline)) void *checked(size_t size)
{
    void *memory = hand_out(size);
    if (!memory)
        __builtin_trap();
    return memory;
}

SITE void by_another(void)
{
    struct stats *made = checked(sizeof *made);
    kept[0] = made;
}

SITE void *for_others(size_t size)
{
    void *memory = hand_out(size);
    kept[0] = memory;
    return memory;
}

SITE void several_lines(size_t many)
{
    shared.items = hand_out(many * /* a ; in a comment */
                            sizeof(struct item));
}
