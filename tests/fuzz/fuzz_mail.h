/* A session with a mail front, for fuzzing: the input is a plan and pieces of
 * what either side says; TLS stands as soon as the front wants it, and every
 * other login is right. What must hold whatever is said is asserted here. */
#ifndef FUZZ_MAIL_H
#define FUZZ_MAIL_H

#undef NDEBUG
#include "../../lib/mail_line.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 300, ROOM = LINE_MAX_BYTES + 16 * 1024, PENDING_MAX = 4096 };

/* The first byte: way, client_tls, and the flags of the plan. */
enum { WAY = 1, CLIENT_TLS = 6, IS_SERVER_TLS = 8, IS_BRIDGE = 16, IS_REPEATED = 32 };
/* Of a piece: whose it is, and whether it is the last. Then its length, then the bytes. */
enum { FROM_SERVER = 1, IS_LAST = 2 };

struct fuzz_session {
    const struct tf_front *front;
    void *state;
    struct tf_facts facts;
    struct tf_mail_plan plan;
    struct tf_login login;
    struct {
        uint8_t p[PENDING_MAX];
        size_t n;
        bool is_last;
    } said[2];
    bool is_server_secure, is_repeated, is_over;
    bool has_logged_in; /* with us, that is; whether the server agrees is the front's business */
    unsigned logins;
};

enum fuzz_call { BEGIN, FEED, SECURED, LOGGED_IN };

static void fuzz_call(struct fuzz_session *s, enum fuzz_call call, enum tf_side side);

static void fuzz_refuse(struct fuzz_session *s)
{
    char line[1024];
    struct tf_writer w = tf_writer_of(line, sizeof line);
    assert(s->facts.reason != TF_REASON_NONE);
    s->front->refuse(s->state, &w, &s->facts);
    assert(!w.full && w.len > 2 && memcmp(line + w.len - 2, "\r\n", 2) == 0);
    s->is_over = true;
}

static void fuzz_turn_to_client(struct fuzz_session *s)
{
    s->said[TF_CLIENT].n = 0;
    s->has_logged_in = false;
    if (!s->is_repeated || s->plan.way != TF_MAIL_UPGRADE || s->plan.client_tls == TF_CLIENT_TLS_IMPLICIT) {
        fuzz_call(s, SECURED, TF_CLIENT);
        return;
    }
    s->plan.way = TF_MAIL_REPEAT;
    s->is_server_secure = false;
    s->said[TF_SERVER].n = 0;
    fuzz_call(s, BEGIN, TF_SERVER);
}

static void fuzz_follow(struct fuzz_session *s, enum tf_feed result)
{
    switch (result) {
    case TF_FEED_MORE:
        break;
    case TF_FEED_CLOSE:
        s->is_over = true;
        break;
    case TF_FEED_SWITCH:
        assert(s->plan.way == TF_MAIL_FOLLOW || s->is_server_secure);
        s->is_over = true;
        break;
    case TF_FEED_BAD:
        fuzz_refuse(s);
        break;
    case TF_FEED_LOGIN:
        assert(s->plan.is_bridge && s->is_server_secure && s->login.user[0] != '\0');
        assert(memchr(s->login.user, '\0', TF_USER_MAX) && memchr(s->login.password, '\0', TF_USER_MAX));
        fuzz_call(s, LOGGED_IN, TF_CLIENT);
        break;
    case TF_FEED_TLS_SERVER:
        assert(!s->is_server_secure && s->plan.way != TF_MAIL_FOLLOW);
        s->is_server_secure = true;
        s->is_over = s->plan.way == TF_MAIL_REPEAT;
        s->said[TF_SERVER].n = 0;
        if (!s->is_over)
            fuzz_call(s, SECURED, TF_SERVER);
        break;
    case TF_FEED_TLS_CLIENT:
        assert(s->plan.way == TF_MAIL_FOLLOW || s->is_server_secure);
        fuzz_turn_to_client(s);
        break;
    case TF_FEED_TARGET:
    case TF_FEED_AGAIN:
        abort();
    }
}

/* What may come to the server before anybody has logged in with a bridge: the verb is the first word, or in
 * IMAP the second. */
static bool fuzz_is_harmless(const struct fuzz_session *s, const struct tf_writer *to_server)
{
    static const char *const verbs[] = {"EHLO", "NOOP",   "RSET", "HELP", "QUIT", "CAPABILITY",
                                        "ID",   "LOGOUT", "CAPA", "AUTH", "STLS"};
    struct tf_text rest = {to_server->p, to_server->len};
    if (s->front == &tf_front_imap)
        tf_text_take(&rest, ' ');
    struct tf_text verb = tf_mail_word(&rest);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (tf_text_is_word(verb, verbs[i]))
            return true;
    return to_server->len == 0;
}

/* Followed, bytes pass untouched or not at all. Upgraded, nothing that matters is heard before TLS stands. */
static void fuzz_check(const struct fuzz_session *s, enum tf_side from, const struct tf_feed_io *io)
{
    const struct tf_writer *to = from == TF_CLIENT ? io->to_server : io->to_client;
    const struct tf_writer *back = from == TF_CLIENT ? io->to_client : io->to_server;
    if (s->plan.way == TF_MAIL_FOLLOW) {
        assert(back->len == 0 && to->len <= io->used);
        assert(to->len == 0 || memcmp(to->p, io->in.p, to->len) == 0);
    } else if (!s->is_server_secure && from == TF_CLIENT) {
        assert(to->len == 0 && back->len == 0);
    }
    assert(s->plan.way != TF_MAIL_REPEAT || io->to_client->len == 0);
    if (s->plan.way == TF_MAIL_UPGRADE && s->plan.is_bridge && from == TF_CLIENT && !s->has_logged_in)
        assert(fuzz_is_harmless(s, io->to_server));
}

/* One call, with a copy of just the input's size, so that a sanitizer sees every slip. */
static void fuzz_call(struct fuzz_session *s, enum fuzz_call call, enum tf_side side)
{
    static char room[2][ROOM];
    struct tf_writer w[2] = {tf_writer_of(room[0], ROOM), tf_writer_of(room[1], ROOM)};
    struct tf_feed_io io = {.to_client = &w[TF_CLIENT], .to_server = &w[TF_SERVER], .login = &s->login};
    size_t n = call == FEED || call == LOGGED_IN ? s->said[side].n : 0;
    uint8_t *copy = malloc(n + 1);
    assert(copy != NULL);
    memcpy(copy, s->said[side].p, n);
    io.in = (struct tf_span){copy, n};
    io.eof = n == s->said[side].n && s->said[side].is_last;
    enum tf_feed result = TF_FEED_MORE;
    switch (call) {
    case BEGIN:
        result = s->front->begin(s->state, &s->plan, &io, &s->facts);
        break;
    case FEED:
        result = s->front->feed(s->state, side, &io, &s->facts);
        fuzz_check(s, side, &io);
        break;
    case SECURED:
        result = s->front->secured(s->state, side, &io, &s->facts);
        break;
    case LOGGED_IN:
        s->has_logged_in = s->logins++ % 2 == 0;
        result = s->front->logged_in(s->state, s->has_logged_in, "token", &io, &s->facts);
        break;
    }
    assert(io.used <= n && !w[0].full && !w[1].full);
    memmove(s->said[side].p, s->said[side].p + io.used, s->said[side].n - io.used);
    s->said[side].n -= io.used;
    free(copy);
    fuzz_follow(s, result);
}

/* Until a side's bytes are not wanted any more: by the front, or because the other side is to speak. */
static void fuzz_feed(struct fuzz_session *s)
{
    size_t before;
    do {
        before = s->said[0].n + s->said[1].n;
        for (enum tf_side side = TF_CLIENT; side <= TF_SERVER; side++)
            if (!s->is_over && (s->said[side].n > 0 || s->said[side].is_last))
                fuzz_call(s, FEED, side);
    } while (!s->is_over && s->said[0].n + s->said[1].n < before);
}

static void fuzz_piece(struct fuzz_session *s, struct tf_reader *in)
{
    unsigned flags = tf_read_u8(in);
    enum tf_side from = flags & FROM_SERVER ? TF_SERVER : TF_CLIENT;
    size_t n = tf_read_u8(in), room = PENDING_MAX - s->said[from].n;
    n = n < in->left ? n : in->left;
    struct tf_span piece = tf_read_span(in, n < room ? n : room);
    if (piece.n > 0)
        memcpy(s->said[from].p + s->said[from].n, piece.p, piece.n);
    s->said[from].n += piece.n;
    s->said[from].is_last = s->said[from].is_last || (flags & IS_LAST) != 0;
    fuzz_feed(s);
}

static int fuzz_mail_front(const struct tf_front *front, const uint8_t *data, size_t size)
{
    static struct fuzz_session s;
    struct tf_reader in = tf_reader_of(data, size);
    unsigned plan = tf_read_u8(&in);
    s = (struct fuzz_session){.front = front, .state = calloc(1, front->state_size)};
    assert(s.state != NULL);
    s.plan = (struct tf_mail_plan){.way = plan & WAY ? TF_MAIL_UPGRADE : TF_MAIL_FOLLOW,
                                   .client_tls = (enum tf_client_tls)((plan & CLIENT_TLS) / 2),
                                   .is_server_tls = (plan & WAY) && (plan & IS_SERVER_TLS),
                                   .is_bridge = (plan & IS_BRIDGE) != 0,
                                   .line_max = LINE_MAX_BYTES,
                                   .name = "gateway.example"};
    s.is_repeated = (plan & IS_REPEATED) != 0;
    fuzz_call(&s, BEGIN, TF_SERVER);
    while (in.left > 0 && !s.is_over)
        fuzz_piece(&s, &in);
    free(s.state);
    return 0;
}

#endif
