/* A session as the HTTP front sees it, for plays: sides say things, the front
 * is fed, and what each side hears and what became of it is kept. */
#ifndef HTTP_STAGE_H
#define HTTP_STAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/front_http.h"
#include "../../lib/page.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char p[8192];
    size_t n;
};

struct stage {
    size_t step;     /* bytes that arrive at once */
    bool is_cramped; /* every other call has little room */
    unsigned calls[2];
    void *front;
    struct tf_facts facts;
    struct text said[2]; /* by a side, and not consumed yet */
    bool eof[2];
    struct text heard[2]; /* by a side */
    char events[512];     /* what the front answered, MORE left out */
    bool is_asking;       /* a plain exchange is under way: the server is heard */
    bool is_over;
};

static void append(struct text *t, const void *p, size_t n)
{
    assert_true(n < sizeof t->p - t->n);
    memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
}

static void note(struct stage *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct stage *s, const char *format, ...)
{
    size_t n = strlen(s->events);
    va_list args;
    va_start(args, format);
    if (n > 0)
        n += (size_t)snprintf(s->events + n, sizeof s->events - n, ", ");
    vsnprintf(s->events + n, sizeof s->events - n, format, args);
    va_end(args);
}

static void consume(struct stage *s, enum tf_side side, size_t n)
{
    struct text *t = &s->said[side];
    assert_true(n <= t->n);
    memmove(t->p, t->p + n, t->n - n + 1);
    t->n -= n;
}

/* One call of feed or answer: input is a heap copy of just its size, so that a sanitizer sees every slip. */
static enum tf_feed call(struct stage *s, enum tf_side side, bool is_answer)
{
    char room[2][4096];
    struct tf_writer w[2];
    size_t taken =
        s->is_cramped && !is_answer && s->calls[side]++ % 2 == 0 ? sizeof room[0] - TF_HTTP_BODY_ROOM : 0;
    for (int i = 0; i < 2; i++) {
        w[i] = tf_writer_of(room[i], sizeof room[i]);
        w[i].len = taken;
    }
    struct text *said = &s->said[side];
    uint8_t *copy = malloc(said->n + 1);
    assert_non_null(copy);
    memcpy(copy, said->p, said->n);
    struct tf_feed_io io = {
        .in = {copy, said->n}, .eof = s->eof[side], .to_client = &w[TF_CLIENT], .to_server = &w[TF_SERVER]};
    enum tf_feed result = TF_FEED_MORE;
    if (is_answer)
        tf_front_http.answer(s->front, &io, &s->facts);
    else
        result = tf_front_http.feed(s->front, side, &io, &s->facts);
    free(copy);
    consume(s, side, io.used);
    for (int i = 0; i < 2; i++) {
        assert_false(w[i].full);
        append(&s->heard[i], w[i].p + taken, w[i].len - taken);
    }
    return result;
}

static void refuse(struct stage *s)
{
    char page[TF_PAGE_MAX];
    struct tf_writer w = tf_writer_of(page, sizeof page);
    tf_front_http.refuse(s->front, &w, &s->facts);
    note(s, "bad %s %.*s", tf_reason_info(s->facts.reason)->code, w.len > 12 ? 3 : 0, page + 9);
    s->is_over = true;
}

/* Feeds one side once; what follows from the answer is done too. */
static void feed_once(struct stage *s, enum tf_side side)
{
    if (s->is_over || (side == TF_SERVER && !s->is_asking) || (s->said[side].n == 0 && !s->eof[side]))
        return;
    switch (call(s, side, false)) {
    case TF_FEED_MORE:
        break;
    case TF_FEED_TARGET:
        note(s, "%s %s:%u", s->facts.ask == TF_ASK_TUNNEL ? "tunnel" : "http", s->facts.target.host,
             s->facts.target.port);
        assert_true(s->facts.has_target);
        call(s, side, true);
        s->is_asking = s->facts.ask == TF_ASK_HTTP;
        s->is_over = !s->is_asking;
        break;
    case TF_FEED_AGAIN:
        note(s, tf_http_server_reusable(s->front) ? "again" : "again anew");
        s->is_asking = false;
        break;
    case TF_FEED_CLOSE:
        note(s, s->facts.reason == TF_REASON_NONE ? "close" : "close %s",
             tf_reason_info(s->facts.reason)->code);
        s->is_over = true;
        break;
    case TF_FEED_BAD:
        refuse(s);
        break;
    }
}

/* Twice each: the first call of a pair may have had no room. */
static void feed_all(struct stage *s)
{
    size_t before;
    do {
        before = s->said[0].n + s->said[1].n + strlen(s->events);
        for (int i = 0; i < 2; i++) {
            feed_once(s, TF_CLIENT);
            feed_once(s, TF_SERVER);
        }
    } while (s->said[0].n + s->said[1].n + strlen(s->events) != before);
}

static void says(struct stage *s, enum tf_side side, const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;
    s->eof[side] = text == NULL;
    if (n == 0)
        feed_all(s);
    for (size_t at = 0; at < n; at += s->step) {
        append(&s->said[side], text + at, n - at < s->step ? n - at : s->step);
        feed_all(s);
    }
}

static void begin(struct stage *s, size_t step, bool is_cramped)
{
    memset(s, 0, sizeof *s);
    s->step = step;
    s->is_cramped = is_cramped;
    s->front = calloc(1, tf_front_http.state_size);
    assert_non_null(s->front);
}

#endif
