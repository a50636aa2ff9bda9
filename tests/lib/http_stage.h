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

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct text {
    char p[8192];
    size_t n;
};

/* What is so all through a play. */
struct scene {
    bool is_upgraded; /* what the policy says of every plain request */
    bool is_forward;  /* for `upstream` */
    bool is_within;   /* the client's TLS with `sign_in` ends here */
    const struct tf_tenants *tenants;
    bool wants_login; /* the password is `right` */
    const char *parent_login;
};

struct stage {
    struct scene scene;
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

/* Names below up.example are upgraded; so is what the play says is. */
static const struct tf_destination upgraded = {.kind = TF_TO_NAME, .pattern = "*.up.example"};
static const struct tf_rule rule = {.name = "up",
                                    .destinations = &upgraded,
                                    .destination_count = 1,
                                    .action = TF_ACTION_UPGRADE,
                                    .until_day = INT32_MAX};
static const struct tf_policy policy = {
    .floor = TF_TLS12, .rules = &rule, .rule_count = 1, .can_upgrade = true};
static const struct tf_target upstream = {.host = "mail.example", .port = 80};
static const struct tf_target sign_in = {.host = "login.microsoftonline.com", .port = 443};

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
    struct tf_login login;
    struct tf_feed_io io = {.in = {copy, said->n},
                            .eof = s->eof[side],
                            .to_client = &w[TF_CLIENT],
                            .to_server = &w[TF_SERVER],
                            .policy = &policy,
                            .tenants = s->scene.tenants,
                            .upstream = s->scene.is_within    ? &sign_in
                                        : s->scene.is_forward ? &upstream
                                                              : NULL,
                            .is_within = s->scene.is_within,
                            .parent_login = s->scene.parent_login,
                            .wants_login = s->scene.wants_login,
                            .login = &login};
    enum tf_feed result = TF_FEED_MORE;
    if (is_answer)
        tf_front_http.answer(s->front, &io, &s->facts);
    else
        result = tf_front_http.feed(s->front, side, &io, &s->facts);
    if (result == TF_FEED_LOGIN) {
        note(s, "login %s", s->facts.user);
        assert_string_equal(login.user, s->facts.user);
        assert_int_equal(io.used, 0);
        bool ok = strcmp(login.password, "right") == 0;
        result = tf_front_http.logged_in(s->front, ok, NULL, &io, &s->facts);
    }
    free(copy);
    consume(s, side, io.used);
    for (int i = 0; i < 2; i++) {
        assert_false(w[i].full);
        append(&s->heard[i], w[i].p + taken, w[i].len - taken);
    }
    return result;
}

/* What a session does with a plain request whose server is to be spoken to in TLS. */
static void upgrade(struct tf_facts *facts)
{
    facts->verdict = TF_VERDICT_UPGRADE;
    if (facts->target.port == 80)
        facts->target.port = 443;
}

/* What it knows of a client whose TLS ends here. */
static void know_within(struct tf_facts *facts)
{
    facts->has_target = true;
    facts->target = sign_in;
    facts->verdict = TF_VERDICT_UPGRADE;
    facts->inside.version = TF_TLS10;
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
        if (s->scene.is_upgraded && s->facts.ask == TF_ASK_HTTP)
            upgrade(&s->facts);
        call(s, side, true);
        s->is_asking = s->facts.ask == TF_ASK_HTTP;
        s->is_over = !s->is_asking;
        break;
    case TF_FEED_AGAIN:
        note(s, tf_http_server_reusable(s->front) ? "again" : "again anew");
        s->is_asking = false;
        break;
    case TF_FEED_CLOSE:
        note(s, tf_http_is_broken_off(s->front) ? "close %s" : "close",
             tf_reason_info(s->facts.reason)->code);
        s->is_over = true;
        break;
    case TF_FEED_SWITCH:
        note(s, "switch");
        s->is_over = true;
        break;
    case TF_FEED_BAD:
        refuse(s);
        break;
    case TF_FEED_LOGIN:
    case TF_FEED_TLS_SERVER:
    case TF_FEED_TLS_CLIENT:
        fail_msg("no HTTP front says so");
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

/* A play: who says what, what comes out on either side, and how it ends. A side that says NULL has sent its
 * last byte. */

enum who { NOBODY, CLIENT, SERVER };

struct play {
    const char *name;
    struct {
        enum who who;
        const char *text;
    } lines[10];
    const char *server_hears, *client_hears;
    const char *events;
    const char *left; /* of what the client said; NULL: it does not matter */
};

static void perform(const struct play *play, const struct scene *scene, size_t step, bool is_cramped)
{
    static struct stage s;
    begin(&s, step, is_cramped);
    s.scene = *scene;
    if (scene->is_within)
        know_within(&s.facts);
    for (size_t i = 0; i < COUNT(play->lines) && play->lines[i].who != NOBODY; i++)
        says(&s, play->lines[i].who == CLIENT ? TF_CLIENT : TF_SERVER, play->lines[i].text);
    assert_string_equal(s.events, play->events);
    assert_string_equal(s.heard[TF_SERVER].p, play->server_hears);
    assert_string_equal(s.heard[TF_CLIENT].p, play->client_hears);
    if (play->left != NULL)
        assert_string_equal(s.said[TF_CLIENT].p, play->left);
    free(s.front);
}

/* With whole lines, byte by byte, and with hardly any room for output: what comes out must always be the
 * same. */
static void perform_all(const struct play *play, const struct scene *scene)
{
    static const size_t steps[] = {sizeof((struct text *)0)->p, 1, 7};
    for (size_t i = 0; i < COUNT(steps); i++) {
        perform(play, scene, steps[i], false);
        perform(play, scene, steps[i], true);
    }
}

#endif
