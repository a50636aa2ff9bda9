/* A mail session as a front sees it, for plays: who says what, what comes out
 * for whom, what the front wants. */
#ifndef MAIL_STAGE_H
#define MAIL_STAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/front.h"
#include "../../lib/m365.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whose mailbox everybody stands for who logs in; and base64 of `user=` MAILBOX 01 `auth=Bearer token` 01 01.
 */
#define MAILBOX "box@mail.example"
#define XOAUTH2 "dXNlcj1ib3hAbWFpbC5leGFtcGxlAWF1dGg9QmVhcmVyIHRva2VuAQE="

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum cue {
    END,
    C,           /* the client says; NULL: its last byte has come */
    S,           /* the server says; likewise */
    TO_C,        /* what the client has heard since the last TO_C, exactly */
    TO_S,        /* and the server */
    WANTS,       /* what the front answered, MORE left out: `tls-server`, `bad mail-cleartext`, ... */
    SECURED_C,   /* TLS stands between the client and us */
    SECURED_S,   /* and the server */
    LOGIN_RIGHT, /* the login that the front asked for; the text is the token, or NULL */
    LOGIN_WRONG,
    REPEAT,  /* another connection to the server, which is to be brought to the same point */
    LEFT_C,  /* what the client has said and the front has not consumed */
    ANSWER,  /* the code of facts->answer; NULL: there is none */
    DETAIL,  /* facts->detail; NULL: there is none */
    GREETED, /* what the client calls itself: facts->greeting */
    TOKEN    /* "refused": facts->is_token_refused, since the last TOKEN; NULL: not */
};

struct play {
    const char *name;
    struct tf_mail_plan plan; /* line_max and name have defaults */
    bool is_m365;
    struct {
        enum cue cue;
        const char *text;
    } lines[40];
};

enum { STAGE_LINE_MAX = 1024, STAGE_ROOM = STAGE_LINE_MAX + 16 * 1024 };

struct text {
    char p[4 * STAGE_ROOM];
    size_t n;
};

struct mail_stage {
    const struct tf_front *front;
    void *state;
    struct tf_mail_plan plan;
    struct tf_facts facts;
    struct tf_login login;
    struct text said[2]; /* by a side, and not consumed yet */
    bool eof[2];
    bool is_client_mute;  /* it cannot be heard: what it says is TLS, or is for another server */
    struct text heard[2]; /* by a side */
    char wants[600];      /* by the front; "" while it only wants more */
};

/* A ClientHello where a command belongs, as far as a line can be told from it. */
#define HELLO        "\x16\x03\x01\x02\n"
#define HELLO_DETAIL "the client begins with TLS at once: set it to STARTTLS, or write client_tls = implicit"

static void append(struct text *t, const void *p, size_t n)
{
    assert_true(n < sizeof t->p - t->n);
    if (n > 0)
        memcpy(t->p + t->n, p, n);
    t->n += n;
    t->p[t->n] = '\0';
}

static void want(struct mail_stage *s, const char *what, const char *more)
{
    assert_string_equal(s->wants, ""); /* it was fed though it wanted something */
    snprintf(s->wants, sizeof s->wants, "%s%s%s", what, more[0] ? " " : "", more);
}

/* What the session does with a refusal: the front words it. */
static void want_refusal(struct mail_stage *s)
{
    char line[1024];
    struct tf_writer w = tf_writer_of(line, sizeof line);
    assert_int_not_equal(s->facts.reason, TF_REASON_NONE);
    s->front->refuse(s->state, &w, &s->facts);
    assert_false(w.full);
    append(&s->heard[TF_CLIENT], line, w.len);
    want(s, "bad", tf_reason_info(s->facts.reason)->code);
}

static void take_result(struct mail_stage *s, enum tf_feed result)
{
    char login[2 * TF_USER_MAX];
    switch (result) {
    case TF_FEED_MORE:
        break;
    case TF_FEED_CLOSE:
        want(s, "close", "");
        break;
    case TF_FEED_SWITCH:
        want(s, "switch", "");
        break;
    case TF_FEED_BAD:
        want_refusal(s);
        break;
    case TF_FEED_LOGIN:
        snprintf(login, sizeof login, "%s:%s", s->login.user, s->login.password);
        memcpy(s->facts.user, s->login.user, sizeof s->facts.user);
        strcpy(s->facts.mailbox, MAILBOX);
        want(s, "login", login);
        break;
    case TF_FEED_TLS_SERVER:
        want(s, "tls-server", "");
        break;
    case TF_FEED_TLS_CLIENT:
        want(s, "tls-client", "");
        s->is_client_mute = true;
        break;
    case TF_FEED_TARGET:
    case TF_FEED_AGAIN:
        fail_msg("a mail front does not answer %d", result);
    }
}

/* One call of the front. Input is a heap copy of just its size, so that a sanitizer sees every slip. */
enum call { CALL_BEGIN, CALL_FEED, CALL_SECURED, CALL_LOGGED_IN };

static void call(struct mail_stage *s, enum call call, enum tf_side side, bool ok, const char *token)
{
    static char room[2][STAGE_ROOM];
    struct tf_writer w[2] = {tf_writer_of(room[0], STAGE_ROOM), tf_writer_of(room[1], STAGE_ROOM)};
    struct text *said = &s->said[side];
    uint8_t *copy = malloc(said->n + 1);
    assert_non_null(copy);
    memcpy(copy, said->p, said->n);
    struct tf_feed_io io = {.to_client = &w[TF_CLIENT], .to_server = &w[TF_SERVER], .login = &s->login};
    if (call == CALL_FEED || call == CALL_LOGGED_IN) {
        io.in = (struct tf_span){copy, said->n};
        io.eof = s->eof[side];
    }
    enum tf_feed result = TF_FEED_MORE;
    switch (call) {
    case CALL_BEGIN:
        result = s->front->begin(s->state, &s->plan, &io, &s->facts);
        break;
    case CALL_FEED:
        result = s->front->feed(s->state, side, &io, &s->facts);
        break;
    case CALL_SECURED:
        result = s->front->secured(s->state, side, &io, &s->facts);
        break;
    case CALL_LOGGED_IN:
        result = s->front->logged_in(s->state, ok, token, &io, &s->facts);
        break;
    }
    free(copy);
    assert_true(io.used <= said->n);
    memmove(said->p, said->p + io.used, said->n - io.used + 1);
    said->n -= io.used;
    for (int i = 0; i < 2; i++) {
        assert_false(w[i].full);
        append(&s->heard[i], room[i], w[i].len);
    }
    take_result(s, result);
}

static void feed_once(struct mail_stage *s, enum tf_side side)
{
    bool is_mute = side == TF_CLIENT && s->is_client_mute;
    if (s->wants[0] == '\0' && !is_mute && (s->said[side].n > 0 || s->eof[side]))
        call(s, CALL_FEED, side, false, NULL);
}

/* Changes with every byte that is consumed or written: the one shrinks only, the other grows only. */
static size_t moved(const struct mail_stage *s)
{
    return s->heard[0].n + s->heard[1].n - s->said[0].n - s->said[1].n;
}

/* Until nothing moves, the server first, as a session does it. */
static void feed_all(struct mail_stage *s)
{
    size_t before;
    do {
        before = moved(s);
        feed_once(s, TF_SERVER);
        feed_once(s, TF_CLIENT);
    } while (s->wants[0] == '\0' && before != moved(s));
}

static void says(struct mail_stage *s, enum tf_side side, const char *text, size_t step)
{
    size_t n = text != NULL ? strlen(text) : 0;
    s->eof[side] = s->eof[side] || text == NULL;
    for (size_t at = 0; at < n; at += step) {
        append(&s->said[side], text + at, n - at < step ? n - at : step);
        feed_all(s);
    }
    feed_all(s);
}

static void repeat(struct mail_stage *s)
{
    s->plan.way = TF_MAIL_REPEAT;
    s->is_client_mute = true;
    s->said[TF_SERVER].n = 0;
    s->eof[TF_SERVER] = false;
    call(s, CALL_BEGIN, TF_SERVER, false, NULL);
}

static void heard(struct mail_stage *s, enum tf_side side, const char *text)
{
    assert_string_equal(s->heard[side].p, text);
    s->heard[side].n = 0;
    s->heard[side].p[0] = '\0';
}

static void follow_cue(struct mail_stage *s, enum cue cue, const char *text, size_t step)
{
    switch (cue) {
    case END:
        break;
    case C:
        says(s, TF_CLIENT, text, step);
        break;
    case S:
        says(s, TF_SERVER, text, step);
        break;
    case TO_C:
        heard(s, TF_CLIENT, text);
        break;
    case TO_S:
        heard(s, TF_SERVER, text);
        break;
    case WANTS:
        assert_string_equal(s->wants, text);
        s->wants[0] = '\0';
        break;
    case SECURED_C:
        s->is_client_mute = false;
        call(s, CALL_SECURED, TF_CLIENT, false, NULL);
        feed_all(s);
        break;
    case SECURED_S:
        call(s, CALL_SECURED, TF_SERVER, false, NULL);
        feed_all(s);
        break;
    case LOGIN_RIGHT:
    case LOGIN_WRONG:
        call(s, CALL_LOGGED_IN, TF_CLIENT, cue == LOGIN_RIGHT, text);
        feed_all(s);
        break;
    case REPEAT:
        repeat(s);
        break;
    case LEFT_C:
        assert_string_equal(s->said[TF_CLIENT].p, text);
        break;
    case ANSWER:
        assert_string_equal(s->facts.answer != NULL ? s->facts.answer->code : "", text != NULL ? text : "");
        break;
    case DETAIL:
        assert_string_equal(s->facts.detail != NULL ? s->facts.detail : "", text != NULL ? text : "");
        break;
    case GREETED:
        assert_string_equal(s->facts.greeting, text);
        break;
    case TOKEN:
        assert_int_equal(s->facts.is_token_refused, text != NULL);
        s->facts.is_token_refused = false;
        break;
    }
}

/* The session as it is when its server has just been connected. The caller frees its `state`. */
static struct mail_stage *open_stage(const struct tf_front *front, const struct play *play)
{
    static const struct tf_m365_set set;
    static struct mail_stage s;
    memset(&s, 0, sizeof s);
    s.front = front;
    s.state = calloc(1, front->state_size);
    assert_non_null(s.state);
    s.plan = play->plan;
    s.plan.line_max = s.plan.line_max > 0 ? s.plan.line_max : STAGE_LINE_MAX;
    s.plan.name = "gateway.example";
    s.facts.ask = TF_ASK_MAIL;
    s.facts.m365 = play->is_m365 ? &set : NULL;
    strcpy(s.facts.target.host, "mail.example");
    s.is_client_mute = play->plan.client_tls == TF_CLIENT_TLS_IMPLICIT;
    call(&s, CALL_BEGIN, TF_SERVER, false, NULL);
    return &s;
}

static void follow_cues(struct mail_stage *s, const struct play *play, size_t step)
{
    for (size_t i = 0; i < COUNT(play->lines) && play->lines[i].cue != END; i++)
        follow_cue(s, play->lines[i].cue, play->lines[i].text, step);
}

/* Bytes come `step` at a time. What the play does not tell of must not have happened. */
static void perform(const struct tf_front *front, const struct play *play, size_t step)
{
    struct mail_stage *s = open_stage(front, play);
    follow_cues(s, play, step);
    assert_string_equal(s->wants, "");
    assert_string_equal(s->heard[TF_CLIENT].p, "");
    assert_string_equal(s->heard[TF_SERVER].p, "");
    free(s->state);
}

/* With whole turns, byte by byte, and in between: what comes out must always be the same. */
static void perform_all(const struct tf_front *front, const struct play *play)
{
    static const size_t steps[] = {sizeof((struct text *)0)->p, 1, 7};
    for (size_t i = 0; i < COUNT(steps); i++)
        perform(front, play, steps[i]);
}

/* Plays as tests whose initial state is the play; returns how many. */
static size_t put_plays(struct CMUnitTest *tests, const struct play *plays, size_t n,
                        CMUnitTestFunction function)
{
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){
            .name = plays[i].name, .test_func = function, .initial_state = (void *)&plays[i]};
    return n;
}

#endif
