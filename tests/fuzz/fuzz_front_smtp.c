/* An SMTP client and a server say whatever they like, in pieces; the session
 * does what the front wants. What must hold whatever they say: who is only
 * followed is passed untouched; without TLS the server gets nothing but EHLO
 * and STARTTLS, with a bridge nothing that matters before a login, and a
 * client that is deaf gets nothing.
 *
 * Input: the plan, then pieces, each { flags, length, bytes }. */
#include "../../lib/m365.h"
#include "../../lib/mail_line.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 3,
    CLIENT_TLS_SHIFT = 2,
    IS_SERVER_TLS = 16,
    IS_OPPORTUNISTIC = 32,
    IS_BRIDGE = 64,
    IS_M365 = 128
};
enum { FROM_SERVER = 1, IS_LAST = 2, IS_LOGIN_WRONG = 4, IS_REPEATED = 8 };
enum { PENDING_MAX = 4096, LINE_MAX = 256, ROOM = LINE_MAX + 16 * 1024 };

struct stage {
    void *state;
    struct tf_mail_plan plan;
    struct tf_facts facts;
    struct tf_login login;
    struct {
        uint8_t p[PENDING_MAX];
        size_t n;
        bool is_last, is_tls;
    } said[2];
    bool has_logged_in; /* with us, and inside the same TLS */
    bool is_over;
};

static bool is_deaf(const struct stage *s)
{
    if (s->plan.way == TF_MAIL_REPEAT)
        return true;
    return s->plan.way == TF_MAIL_UPGRADE && s->plan.client_tls == TF_CLIENT_TLS_IMPLICIT &&
           !s->said[TF_CLIENT].is_tls;
}

static bool begins(const char *p, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(p, with, strlen(with)) == 0;
}

/* What a server hears whose TLS does not stand. */
static void check_dance(const struct tf_writer *w)
{
    size_t at = 0;
    while (at < w->len) {
        const char *line = w->p + at;
        const char *end = memchr(line, '\n', w->len - at);
        assert(end != NULL && end[-1] == '\r');
        at = (size_t)(end - w->p) + 1;
        assert(begins(line, (size_t)(end - line), "EHLO ") ||
               begins(line, (size_t)(end - line), "STARTTLS\r"));
    }
}

/* Before anybody has logged in with a bridge. There is one command at a time. */
static void check_harmless(const struct tf_writer *w)
{
    static const char *const verbs[] = {"EHLO", "STARTTLS", "NOOP", "RSET", "HELP", "QUIT"};
    struct tf_text rest = {w->p, w->len};
    struct tf_text verb = tf_mail_word(&rest);
    bool is_harmless = w->len == 0;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        is_harmless = is_harmless || tf_text_is_word(verb, verbs[i]);
    assert(is_harmless);
}

static void check(const struct stage *s, enum tf_side from, const uint8_t *in, size_t used,
                  const struct tf_writer w[2])
{
    assert(!w[TF_CLIENT].full && !w[TF_SERVER].full);
    if (s->plan.way == TF_MAIL_FOLLOW) {
        enum tf_side to = from == TF_CLIENT ? TF_SERVER : TF_CLIENT;
        assert(w[from].len == 0 && w[to].len == used && (used == 0 || memcmp(w[to].p, in, used) == 0));
        return;
    }
    if (!s->said[TF_SERVER].is_tls && !s->plan.is_opportunistic)
        check_dance(&w[TF_SERVER]);
    if (s->plan.is_bridge && !s->has_logged_in)
        check_harmless(&w[TF_SERVER]);
    assert(!is_deaf(s) || w[TF_CLIENT].len == 0);
}

static void act(struct stage *s, enum tf_feed result, unsigned flags);

enum call { CALL_BEGIN, CALL_FEED, CALL_SECURED, CALL_LOGGED_IN };

/* One call, with a copy of just the input's size, so that a sanitizer sees every slip. */
static void call(struct stage *s, enum call call, enum tf_side side, unsigned flags)
{
    static char out[2][ROOM];
    struct tf_writer w[2] = {tf_writer_of(out[0], ROOM), tf_writer_of(out[1], ROOM)};
    size_t n = call == CALL_FEED ? s->said[side].n : 0;
    uint8_t *copy = malloc(n + 1);
    assert(copy != NULL);
    memcpy(copy, s->said[side].p, n);
    struct tf_feed_io io = {.in = {copy, n},
                            .eof = call == CALL_FEED && s->said[side].is_last,
                            .to_client = &w[TF_CLIENT],
                            .to_server = &w[TF_SERVER],
                            .login = &s->login};
    bool is_right = (flags & IS_LOGIN_WRONG) == 0;
    enum tf_feed result = TF_FEED_MORE;
    switch (call) {
    case CALL_BEGIN:
        result = tf_front_smtp.begin(s->state, &s->plan, &io, &s->facts);
        break;
    case CALL_FEED:
        result = tf_front_smtp.feed(s->state, side, &io, &s->facts);
        break;
    case CALL_SECURED:
        result = tf_front_smtp.secured(s->state, side, &io, &s->facts);
        break;
    case CALL_LOGGED_IN:
        s->has_logged_in = s->has_logged_in || is_right;
        result = tf_front_smtp.logged_in(s->state, is_right, is_right ? "token" : NULL, &io, &s->facts);
        break;
    }
    assert(io.used <= n);
    check(s, side, copy, io.used, w);
    memmove(s->said[side].p, s->said[side].p + io.used, s->said[side].n - io.used);
    s->said[side].n -= io.used;
    free(copy);
    act(s, result, flags);
}

static void refuse(struct stage *s)
{
    char line[1024];
    struct tf_writer w = tf_writer_of(line, sizeof line);
    assert(s->facts.reason != TF_REASON_NONE);
    tf_front_smtp.refuse(s->state, &w, &s->facts);
    assert(!w.full && (w.len == 0 || !is_deaf(s)));
    s->is_over = true;
}

static void secure(struct stage *s, enum tf_side side, unsigned flags)
{
    assert(!s->said[side].is_tls);
    s->is_over = s->said[side].n > 0 && !(side == TF_SERVER && s->plan.is_server_tls);
    if (s->is_over || s->plan.way == TF_MAIL_REPEAT || s->plan.way == TF_MAIL_FOLLOW) {
        s->is_over = true;
        return;
    }
    s->said[side].is_tls = true;
    s->has_logged_in = s->has_logged_in && side == TF_SERVER;
    call(s, CALL_SECURED, side, flags);
}

static void secure_client(struct stage *s, unsigned flags)
{
    assert(s->plan.way != TF_MAIL_UPGRADE || s->said[TF_SERVER].is_tls);
    bool is_implicit = s->plan.client_tls == TF_CLIENT_TLS_IMPLICIT;
    if (s->plan.way != TF_MAIL_UPGRADE || is_implicit || (flags & IS_REPEATED) == 0) {
        secure(s, TF_CLIENT, flags);
        return;
    }
    s->plan.way = TF_MAIL_REPEAT;
    s->said[TF_SERVER].n = 0;
    s->said[TF_SERVER].is_tls = s->said[TF_SERVER].is_last = false;
    call(s, CALL_BEGIN, TF_SERVER, flags);
}

static void act(struct stage *s, enum tf_feed result, unsigned flags)
{
    switch (result) {
    case TF_FEED_MORE:
        break;
    case TF_FEED_CLOSE:
        s->is_over = true;
        break;
    case TF_FEED_BAD:
        refuse(s);
        break;
    case TF_FEED_LOGIN:
        assert(s->plan.is_bridge && s->said[TF_SERVER].is_tls);
        call(s, CALL_LOGGED_IN, TF_CLIENT, flags);
        break;
    case TF_FEED_TLS_SERVER:
        secure(s, TF_SERVER, flags);
        break;
    case TF_FEED_TLS_CLIENT:
        secure_client(s, flags);
        break;
    case TF_FEED_TARGET:
    case TF_FEED_AGAIN:
    case TF_FEED_SWITCH:
        abort();
    }
}

static void take_piece(struct stage *s, struct tf_reader *in)
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
    for (int i = 0; i < 16 && !s->is_over; i++) {
        enum tf_side side = i % 2 == 0 ? TF_SERVER : TF_CLIENT;
        bool is_mute = side == TF_CLIENT && is_deaf(s);
        if (!is_mute && (s->said[side].n > 0 || s->said[side].is_last))
            call(s, CALL_FEED, side, flags);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tf_m365_set set;
    static struct stage s;
    struct tf_reader in = tf_reader_of(data, size);
    unsigned plan = tf_read_u8(&in);
    s = (struct stage){.state = calloc(1, tf_front_smtp.state_size)};
    assert(s.state != NULL);
    s.plan = (struct tf_mail_plan){.way = (enum tf_mail_way)(plan % 4 % WAYS),
                                   .client_tls = (enum tf_client_tls)(plan >> CLIENT_TLS_SHIFT & 3),
                                   .is_server_tls = (plan & IS_SERVER_TLS) != 0,
                                   .is_opportunistic = (plan & IS_OPPORTUNISTIC) != 0,
                                   .is_bridge = (plan & IS_BRIDGE) != 0,
                                   .line_max = LINE_MAX,
                                   .name = "gateway.example"};
    s.plan.is_server_tls = s.plan.is_server_tls && s.plan.way != TF_MAIL_FOLLOW;
    s.facts.m365 = plan & IS_M365 ? &set : NULL;
    strcpy(s.facts.target.host, "mail.example");
    strcpy(s.facts.mailbox, "box@mail.example");
    call(&s, CALL_BEGIN, TF_SERVER, 0);
    while (in.left > 0 && !s.is_over)
        take_piece(&s, &in);
    free(s.state);
    return 0;
}
