/* Lists of deadlines; see deadline.h. */
#include "deadline.h"

#include <stdlib.h>

static void on_timer(uv_timer_t *timer);

void deadlines_init(struct deadlines *all, uv_loop_t *loop, deadline_cb *cb)
{
    *all = (struct deadlines){.cb = cb, .armed_ms = UINT64_MAX};
    uv_timer_init(loop, &all->timer);
    all->timer.data = all;
}

void deadlines_close(struct deadlines *all)
{
    while (all->lists != NULL) {
        struct deadline_list *list = all->lists;
        all->lists = list->next;
        free(list);
    }
    uv_close((uv_handle_t *)&all->timer, NULL);
}

/* There are as many lists as lengths that were ever in force: a reload that changes a timeout adds a few
 * bytes. */
static struct deadline_list *list_of(struct deadlines *all, uint32_t length_ms)
{
    for (struct deadline_list *list = all->lists; list != NULL; list = list->next)
        if (list->length_ms == length_ms)
            return list;
    struct deadline_list *list = malloc(sizeof *list);
    if (list == NULL)
        return NULL;
    list->length_ms = length_ms;
    list->head.prev = list->head.next = &list->head;
    list->next = all->lists;
    all->lists = list;
    return list;
}

static void arm(struct deadlines *all, uint64_t at_ms)
{
    if (at_ms >= all->armed_ms)
        return;
    uint64_t now_ms = uv_now(all->timer.loop);
    all->armed_ms = at_ms;
    uv_timer_start(&all->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

bool deadline_set(struct deadlines *all, struct deadline *d, uint32_t length_ms)
{
    struct deadline_list *list = list_of(all, length_ms);
    deadline_clear(d);
    if (list == NULL)
        return false;
    d->at_ms = uv_now(all->timer.loop) + length_ms;
    d->prev = list->head.prev;
    d->next = &list->head;
    d->prev->next = d;
    list->head.prev = d;
    arm(all, d->at_ms);
    return true;
}

void deadline_clear(struct deadline *d)
{
    if (d->next == NULL)
        return;
    d->prev->next = d->next;
    d->next->prev = d->prev;
    d->prev = d->next = NULL;
}

/* The timer is not moved when a deadline is: it fires, finds nothing due, and is armed for the next one. */
static void on_timer(uv_timer_t *timer)
{
    struct deadlines *all = timer->data;
    uint64_t now_ms = uv_now(timer->loop);
    all->armed_ms = UINT64_MAX;
    for (struct deadline_list *list = all->lists; list != NULL; list = list->next)
        while (list->head.next != &list->head && list->head.next->at_ms <= now_ms) {
            struct deadline *due = list->head.next;
            deadline_clear(due);
            all->cb(due);
        }
    for (struct deadline_list *list = all->lists; list != NULL; list = list->next)
        if (list->head.next != &list->head)
            arm(all, list->head.next->at_ms);
}
