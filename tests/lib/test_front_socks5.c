/* front_socks5.c: plays of SOCKS clients. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/front.h"
#include <string.h>

static const struct tf_front *const front = &tf_front_socks5;

/* A client, and the front that it talks to. What has been said to it gathers in `out`. */
struct stage {
    uint64_t state[8];
    struct tf_facts facts;
    struct tf_login login;
    struct tf_writer to_client, none;
    bool wants_login, eof;
    char out[256];
    uint8_t in[1024]; /* sent, and not consumed yet */
    size_t n;
};

static void open_stage(struct stage *s, bool wants_login)
{
    memset(s, 0, sizeof *s);
    assert_true(front->state_size <= sizeof s->state);
    s->to_client = tf_writer_of(s->out, sizeof s->out);
    s->wants_login = wants_login;
}

static struct tf_feed_io io_of(struct stage *s)
{
    return (struct tf_feed_io){.in = {s->in, s->n},
                               .eof = s->eof,
                               .to_client = &s->to_client,
                               .to_server = &s->none,
                               .wants_login = s->wants_login,
                               .login = &s->login};
}

static void consume(struct stage *s, const struct tf_feed_io *io)
{
    assert_true(io->used <= s->n);
    s->n -= io->used;
    memmove(s->in, s->in + io->used, s->n);
}

static enum tf_feed feed(struct stage *s)
{
    struct tf_feed_io io = io_of(s);
    enum tf_feed result = front->feed(s->state, TF_CLIENT, &io, &s->facts);
    consume(s, &io);
    return result;
}

static enum tf_feed say(struct stage *s, const void *bytes, size_t n)
{
    assert_true(n <= sizeof s->in - s->n);
    memcpy(s->in + s->n, bytes, n);
    s->n += n;
    return feed(s);
}

#define SAY(s, text) say(s, text, sizeof(text) - 1)

static enum tf_feed tell_login(struct stage *s, bool ok)
{
    struct tf_feed_io io = io_of(s);
    enum tf_feed result = front->logged_in(s->state, ok, NULL, &io, &s->facts);
    consume(s, &io);
    return result;
}

static void answer(struct stage *s)
{
    struct tf_feed_io io = io_of(s);
    front->answer(s->state, &io, &s->facts);
    consume(s, &io);
}

static void refuse(struct stage *s, enum tf_reason reason)
{
    s->facts.reason = reason;
    front->refuse(s->state, &s->to_client, &s->facts);
}

/* All that the client has heard since it was last asked. */
#define HEARS(s, text)                                                                                       \
    do {                                                                                                     \
        assert_int_equal((s)->to_client.len, sizeof(text) - 1);                                              \
        assert_memory_equal((s)->out, text, sizeof(text) - 1);                                               \
        (s)->to_client.len = 0;                                                                              \
    } while (0)

#define GREETING       "\5\1\0"
#define NO_LOGIN       "\5\0"
#define LOGIN_GREETING "\5\2\0\2"
#define PASSWORD       "\5\2"
#define LOGIN          "\1\4user\6secret"
#define REQUEST        "\5\1\0\3\011Host.test\1\273"
#define REPLY(code)    "\5" code "\0\1\0\0\0\0\0\0"

static void client_gets_a_tunnel_to_a_name(void **state)
{
    (void)state;
    struct stage s;
    open_stage(&s, false);
    assert_int_equal(SAY(&s, GREETING), TF_FEED_MORE);
    HEARS(&s, NO_LOGIN);
    assert_int_equal(SAY(&s, REQUEST), TF_FEED_TARGET);
    HEARS(&s, "");
    assert_true(s.facts.has_target && !s.facts.target.is_address);
    assert_int_equal(s.facts.ask, TF_ASK_TUNNEL);
    assert_string_equal(s.facts.target.host, "host.test");
    assert_int_equal(s.facts.target.port, 443);
    answer(&s);
    HEARS(&s, REPLY("\0"));
}

static void addresses_are_targets_too(void **state)
{
    static const struct {
        const char *request;
        size_t n;
        const char *host;
        enum tf_family family;
    } plays[] = {
#define PLAY(request, host, family) {request, sizeof(request) - 1, host, family}
        PLAY("\5\1\0\1\300\0\2\1\1\273", "192.0.2.1", TF_FAMILY_V4),
        PLAY("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\273", "2001:db8::1", TF_FAMILY_V6),
        PLAY("\5\1\0\4\0\0\0\0\0\0\0\0\0\0\377\377\177\0\0\1\1\273", "::ffff:127.0.0.1", TF_FAMILY_V6),
        PLAY("\5\1\0\3\011192.0.2.1\1\273", "192.0.2.1", TF_FAMILY_V4),
        PLAY("\5\1\0\3\0060x7f.1\1\273", "127.0.0.1", TF_FAMILY_V4),
        PLAY("\5\1\0\3\0132001:db8::1\1\273", "2001:db8::1", TF_FAMILY_V6),
#undef PLAY
    };
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        struct stage s;
        open_stage(&s, false);
        SAY(&s, GREETING);
        assert_int_equal(say(&s, plays[i].request, plays[i].n), TF_FEED_TARGET);
        assert_true(s.facts.target.is_address);
        assert_string_equal(s.facts.target.host, plays[i].host);
        assert_int_equal(s.facts.target.addr.family, plays[i].family);
        assert_int_equal(s.facts.target.addr.port, 443);
        assert_int_equal(s.facts.target.port, 443);
    }
}

static void everything_sent_ahead_is_taken_in_turn_and_the_hello_is_left_alone(void **state)
{
    (void)state;
    struct stage s;
    open_stage(&s, false);
    assert_int_equal(SAY(&s, GREETING REQUEST "\26\3\1"), TF_FEED_TARGET);
    HEARS(&s, NO_LOGIN);
    assert_int_equal(s.n, 3);
    answer(&s);
    assert_int_equal(feed(&s), TF_FEED_MORE);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.in[0], 0x16);
}

static void login_is_asked_for_and_checked_elsewhere(void **state)
{
    (void)state;
    struct stage s;
    open_stage(&s, true);
    assert_int_equal(SAY(&s, LOGIN_GREETING), TF_FEED_MORE);
    HEARS(&s, PASSWORD);
    assert_int_equal(SAY(&s, LOGIN), TF_FEED_LOGIN);
    HEARS(&s, "");
    assert_string_equal(s.login.user, "user");
    assert_string_equal(s.login.password, "secret");
    assert_string_equal(s.facts.user, "user");
    assert_int_equal(SAY(&s, REQUEST), TF_FEED_MORE); /* while it is being checked */
    assert_int_equal(tell_login(&s, true), TF_FEED_TARGET);
    HEARS(&s, "\1\0");
    answer(&s);
    HEARS(&s, REPLY("\0"));
}

static void wrong_login_is_told(void **state)
{
    (void)state;
    struct stage s;
    open_stage(&s, true);
    assert_int_equal(SAY(&s, LOGIN_GREETING LOGIN), TF_FEED_LOGIN);
    HEARS(&s, PASSWORD);
    assert_int_equal(tell_login(&s, false), TF_FEED_BAD);
    assert_int_equal(s.facts.reason, TF_REASON_LOGIN_FAILED);
    refuse(&s, TF_REASON_LOGIN_FAILED);
    HEARS(&s, "\1\1");
}

static void empty_or_odd_logins_fail_unchecked(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        enum tf_reason reason;
    } logins[] = {
        {"\1\0\6secret", 9, TF_REASON_LOGIN_FAILED},
        {"\1\4user\0", 7, TF_REASON_LOGIN_FAILED},
        {"\1\4us\0r\1x", 8, TF_REASON_LOGIN_FAILED},
        {"\5\4user\1x", 8, TF_REASON_SOCKS_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        struct stage s;
        open_stage(&s, true);
        SAY(&s, LOGIN_GREETING);
        HEARS(&s, PASSWORD);
        assert_int_equal(say(&s, logins[i].bytes, logins[i].n), TF_FEED_BAD);
        assert_int_equal(s.facts.reason, logins[i].reason);
        refuse(&s, s.facts.reason);
        HEARS(&s, "\1\1");
    }
}

static void longest_login_fits(void **state)
{
    (void)state;
    struct stage s;
    uint8_t login[513] = {1, 255};
    open_stage(&s, true);
    SAY(&s, LOGIN_GREETING);
    memset(login + 2, 'u', 255);
    login[257] = 255;
    memset(login + 258, 'p', 255);
    assert_int_equal(say(&s, login, sizeof login), TF_FEED_LOGIN);
    assert_int_equal(strlen(s.login.user), 255);
    assert_int_equal(strlen(s.login.password), 255);
    assert_int_equal(s.n, 0);
}

static void without_a_method_in_common_there_is_no_dialogue(void **state)
{
    static const struct {
        const char *greeting;
        size_t n;
        bool wants_login;
    } plays[] = {{"\5\1\0", 3, true}, {"\5\1\2", 3, false}, {"\5\0", 2, false}, {"\5\2\1\3", 4, true}};
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        struct stage s;
        open_stage(&s, plays[i].wants_login);
        assert_int_equal(say(&s, plays[i].greeting, plays[i].n), TF_FEED_BAD);
        assert_int_equal(s.facts.reason, TF_REASON_LOGIN_REQUIRED);
        assert_non_null(s.facts.detail);
        refuse(&s, s.facts.reason);
        HEARS(&s, "\5\377");
    }
}

static void other_tongues_are_known_by_their_first_byte(void **state)
{
    static const struct {
        const char *first, *detail;
    } plays[] = {
        {"\4", "version 4"}, {"\26", "TLS"}, {"GET / HTTP/1.1", "HTTP"}, {"\1", "first byte"}, {"\5", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        struct stage s;
        open_stage(&s, false);
        enum tf_feed result = say(&s, plays[i].first, strlen(plays[i].first));
        assert_int_equal(result, plays[i].detail != NULL ? TF_FEED_BAD : TF_FEED_MORE);
        if (plays[i].detail == NULL)
            continue;
        assert_int_equal(s.facts.reason, TF_REASON_SOCKS_MALFORMED);
        assert_non_null(strstr(s.facts.detail, plays[i].detail));
        refuse(&s, s.facts.reason);
        if (i == 0)
            HEARS(&s, "\0\x5b\0\0\0\0\0\0");
        else
            HEARS(&s, "");
    }
}

static void requests_that_are_not_served_are_told_why(void **state)
{
    static const struct {
        const char *request;
        size_t n;
        enum tf_reason reason;
        uint8_t reply;
    } plays[] = {
#define PLAY(request, reason, reply) {request, sizeof(request) - 1, reason, reply}
        PLAY("\5\2\0\1\300\0\2\1\1\273", TF_REASON_SOCKS_COMMAND, 7),
        PLAY("\5\3\0\1\300\0\2\1\1\273", TF_REASON_SOCKS_COMMAND, 7),
        PLAY("\5\1\0\2\300\0\2\1\1\273", TF_REASON_SOCKS_MALFORMED, 8),
        PLAY("\4\1\0\1\300\0\2\1\1\273", TF_REASON_SOCKS_MALFORMED, 1),
        PLAY("\5\1\0\1\300\0\2\1\0\0", TF_REASON_HOST_INVALID, 2),
        PLAY("\5\1\0\3\0\1\273", TF_REASON_HOST_INVALID, 2),
        PLAY("\5\1\0\3\3a b\1\273", TF_REASON_HOST_INVALID, 2),
        PLAY("\5\1\0\3\011256.1.1.1\1\273", TF_REASON_HOST_INVALID, 2),
#undef PLAY
    };
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        struct stage s;
        open_stage(&s, false);
        SAY(&s, GREETING);
        HEARS(&s, NO_LOGIN);
        assert_int_equal(say(&s, plays[i].request, plays[i].n), TF_FEED_BAD);
        assert_int_equal(s.facts.reason, plays[i].reason);
        assert_false(s.facts.has_target);
        refuse(&s, s.facts.reason);
        assert_int_equal(s.to_client.len, 10);
        assert_int_equal(s.out[1], plays[i].reply);
    }
}

static void each_failure_has_its_reply(void **state)
{
    static const struct {
        enum tf_reason reason;
        uint8_t reply;
    } replies[] = {
        {TF_REASON_PORT_DENIED, 2},      {TF_REASON_DESTINATION_DENIED, 2}, {TF_REASON_RULE_BLOCK, 2},
        {TF_REASON_DIAL_UNREACHABLE, 3}, {TF_REASON_NAME_NOT_FOUND, 4},     {TF_REASON_NAME_TIMEOUT, 4},
        {TF_REASON_DIAL_REFUSED, 5},     {TF_REASON_DIAL_TIMEOUT, 6},       {TF_REASON_NO_RESOURCES, 1},
        {TF_REASON_PARENT_REFUSED, 1},   {TF_REASON_USER_LIMIT, 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct stage s;
        open_stage(&s, false);
        assert_int_equal(SAY(&s, GREETING REQUEST), TF_FEED_TARGET);
        HEARS(&s, NO_LOGIN);
        refuse(&s, replies[i].reason);
        const uint8_t wanted[10] = {5, replies[i].reply, 0, 1};
        assert_int_equal(s.to_client.len, sizeof wanted);
        assert_memory_equal(s.out, wanted, sizeof wanted);
    }
}

static void before_the_greeting_and_in_the_tunnel_there_are_no_words(void **state)
{
    (void)state;
    struct stage s;
    open_stage(&s, false);
    refuse(&s, TF_REASON_SOURCE_DENIED);
    HEARS(&s, "");
    SAY(&s, GREETING REQUEST);
    answer(&s);
    s.to_client.len = 0;
    refuse(&s, TF_REASON_CLIENT_BELOW_FLOOR);
    HEARS(&s, "");
    front->refuse(NULL, &s.to_client, &s.facts);
    HEARS(&s, "");
}

static void end_of_the_client_is_told_unless_it_said_nothing(void **state)
{
    static const char play[] = LOGIN_GREETING LOGIN;
    (void)state;
    for (size_t n = 0; n < sizeof play - 1; n++) {
        struct stage s;
        open_stage(&s, true);
        s.eof = true;
        assert_int_equal(say(&s, play, n), n == 0 ? TF_FEED_CLOSE : TF_FEED_BAD);
        assert_int_equal(s.facts.reason, n == 0 ? TF_REASON_NONE : TF_REASON_REQUEST_CUT);
    }
}

static void dialogue_in_pieces_is_the_same_dialogue(void **state)
{
    static const char play[] = LOGIN_GREETING LOGIN REQUEST;
    (void)state;
    for (size_t size = 1; size < sizeof play; size++) {
        struct stage s;
        enum tf_feed result = TF_FEED_MORE;
        open_stage(&s, true);
        for (size_t at = 0; at < sizeof play - 1; at += size) {
            size_t left = sizeof play - 1 - at;
            assert_int_equal(result, TF_FEED_MORE);
            result = say(&s, play + at, size < left ? size : left);
            if (result == TF_FEED_LOGIN)
                result = tell_login(&s, true);
        }
        assert_int_equal(result, TF_FEED_TARGET);
        HEARS(&s, PASSWORD "\1\0");
        assert_string_equal(s.facts.target.host, "host.test");
        assert_int_equal(s.n, 0);
    }
}

static void nothing_is_consumed_that_cannot_be_answered(void **state)
{
    (void)state;
    struct stage s;
    open_stage(&s, false);
    s.to_client.cap = 1;
    assert_int_equal(SAY(&s, GREETING REQUEST), TF_FEED_MORE);
    HEARS(&s, "");
    s.to_client.cap = sizeof s.out;
    assert_int_equal(feed(&s), TF_FEED_TARGET);
    HEARS(&s, NO_LOGIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_gets_a_tunnel_to_a_name),
        cmocka_unit_test(addresses_are_targets_too),
        cmocka_unit_test(everything_sent_ahead_is_taken_in_turn_and_the_hello_is_left_alone),
        cmocka_unit_test(login_is_asked_for_and_checked_elsewhere),
        cmocka_unit_test(wrong_login_is_told),
        cmocka_unit_test(empty_or_odd_logins_fail_unchecked),
        cmocka_unit_test(longest_login_fits),
        cmocka_unit_test(without_a_method_in_common_there_is_no_dialogue),
        cmocka_unit_test(other_tongues_are_known_by_their_first_byte),
        cmocka_unit_test(requests_that_are_not_served_are_told_why),
        cmocka_unit_test(each_failure_has_its_reply),
        cmocka_unit_test(before_the_greeting_and_in_the_tunnel_there_are_no_words),
        cmocka_unit_test(end_of_the_client_is_told_unless_it_said_nothing),
        cmocka_unit_test(dialogue_in_pieces_is_the_same_dialogue),
        cmocka_unit_test(nothing_is_consumed_that_cannot_be_answered),
    };
    return cmocka_run_group_tests_name("front_socks5", tests, NULL, NULL);
}
