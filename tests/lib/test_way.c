/* way.c: what a listener's settings make of its sessions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/way.h"
#include <string.h>

static struct tf_target target(const char *authority)
{
    struct tf_target t;
    assert_int_equal(tf_authority_parse(authority, strlen(authority), 0, &t), TF_HOST_OK);
    return t;
}

static struct tf_listener listener(enum tf_kind kind)
{
    return (struct tf_listener){.name = "way",
                                .kind = kind,
                                .server_name = "",
                                .certificate = "",
                                .key = "",
                                .users = "",
                                .oauth = ""};
}

static struct tf_listener forward(enum tf_protocol protocol, enum tf_client_tls client_tls,
                                  const char *upstream)
{
    struct tf_listener l = listener(TF_KIND_FORWARD);
    l.protocol = protocol;
    l.client_tls = client_tls;
    l.upstream = target(upstream);
    return l;
}

/* The facts of a session that asks for `authority`, or goes where the listener says. */
static struct tf_facts aimed(const struct tf_listener *l, const char *authority)
{
    struct tf_facts facts = {.has_target = false};
    tf_way_begin(l, &facts);
    if (authority != NULL) {
        facts.target = target(authority);
        facts.has_target = true;
    }
    tf_way_aim(l, &facts);
    return facts;
}

static void who_comes_by_forward_goes_where_the_listener_says(void **state)
{
    (void)state;
    struct tf_listener l = forward(TF_PROTOCOL_SMTP, TF_CLIENT_TLS_NONE, "smtp.example.com:587");
    struct tf_facts facts = aimed(&l, NULL);
    assert_true(facts.has_target && facts.is_fixed);
    assert_string_equal(facts.target.host, "smtp.example.com");
    assert_int_equal(facts.target.port, 587);
}

static void who_comes_by_a_proxy_has_asked_for_nothing_yet(void **state)
{
    (void)state;
    struct tf_listener l = listener(TF_KIND_CONNECT);
    struct tf_facts facts = {.has_target = false};
    tf_way_begin(&l, &facts);
    assert_false(facts.has_target || facts.is_fixed);
}

static void ports_are_mail_where_servers_speak_first_in_plain_text(void **state)
{
    (void)state;
    static const struct {
        const char *authority;
        enum tf_mail mail;
    } rows[] = {
        {"a.test:25", TF_MAIL_SMTP},  {"a.test:587", TF_MAIL_SMTP}, {"a.test:143", TF_MAIL_IMAP},
        {"a.test:110", TF_MAIL_POP3}, {"a.test:465", TF_MAIL_NONE}, {"a.test:993", TF_MAIL_NONE},
        {"a.test:995", TF_MAIL_NONE}, {"a.test:443", TF_MAIL_NONE}, {"a.test:2525", TF_MAIL_NONE},
    };
    static const enum tf_kind kinds[] = {TF_KIND_CONNECT, TF_KIND_SOCKS5, TF_KIND_TRANSPARENT};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct tf_listener l = listener(kinds[k]);
            struct tf_facts facts = aimed(&l, rows[i].authority);
            assert_int_equal(facts.mail, rows[i].mail);
            assert_false(facts.must_terminate);
        }
}

static void who_must_begin_with_a_hello_speaks_no_mail(void **state)
{
    (void)state;
    struct tf_listener l = listener(TF_KIND_SNI);
    assert_int_equal(aimed(&l, "a.test:25").mail, TF_MAIL_NONE);
}

static void a_listener_may_say_that_any_port_is_mail(void **state)
{
    (void)state;
    struct tf_listener smtp = forward(TF_PROTOCOL_SMTP, TF_CLIENT_TLS_NONE, "a.test:2525");
    struct tf_listener imap = forward(TF_PROTOCOL_IMAP, TF_CLIENT_TLS_NONE, "a.test:2525");
    struct tf_listener pop3 = forward(TF_PROTOCOL_POP3, TF_CLIENT_TLS_NONE, "a.test:2525");
    struct tf_listener tls = forward(TF_PROTOCOL_TLS, TF_CLIENT_TLS_NONE, "a.test:25");
    assert_int_equal(aimed(&smtp, NULL).mail, TF_MAIL_SMTP);
    assert_int_equal(aimed(&imap, NULL).mail, TF_MAIL_IMAP);
    assert_int_equal(aimed(&pop3, NULL).mail, TF_MAIL_POP3);
    assert_int_equal(aimed(&tls, NULL).mail, TF_MAIL_NONE);
}

/* Both legs must begin in the same way, or else a healthy client's TLS cannot reach the server. */
static void the_clients_tls_ends_here_where_the_legs_begin_differently(void **state)
{
    (void)state;
    static const struct {
        enum tf_client_tls client_tls;
        const char *upstream;
        bool must_terminate;
    } rows[] = {
        {TF_CLIENT_TLS_NONE, "a.test:587", false},     {TF_CLIENT_TLS_OPTIONAL, "a.test:587", false},
        {TF_CLIENT_TLS_STARTTLS, "a.test:587", false}, {TF_CLIENT_TLS_IMPLICIT, "a.test:587", true},
        {TF_CLIENT_TLS_NONE, "a.test:465", true},      {TF_CLIENT_TLS_OPTIONAL, "a.test:465", true},
        {TF_CLIENT_TLS_STARTTLS, "a.test:465", true},  {TF_CLIENT_TLS_IMPLICIT, "a.test:465", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tf_listener l = forward(TF_PROTOCOL_SMTP, rows[i].client_tls, rows[i].upstream);
        assert_int_equal(aimed(&l, NULL).must_terminate, rows[i].must_terminate);
        l.bridge = true; /* who logs in with us must speak to us */
        assert_true(aimed(&l, NULL).must_terminate);
    }
}

static void all_tls_ends_here_where_a_listener_says_so(void **state)
{
    (void)state;
    struct tf_listener ends = forward(TF_PROTOCOL_TLS, TF_CLIENT_TLS_IMPLICIT, "a.test:443");
    struct tf_listener passes = forward(TF_PROTOCOL_TLS, TF_CLIENT_TLS_NONE, "a.test:443");
    assert_true(aimed(&ends, NULL).must_terminate);
    assert_false(aimed(&passes, NULL).must_terminate);
}

static void a_certificate_is_for_clients_of_servers_unless_it_is_the_proxys(void **state)
{
    (void)state;
    struct tf_listener l = forward(TF_PROTOCOL_TLS, TF_CLIENT_TLS_IMPLICIT, "a.test:443");
    assert_false(aimed(&l, NULL).has_certificate);
    l.certificate = "cert.pem";
    assert_true(aimed(&l, NULL).has_certificate);
    l.tls = true;
    assert_false(aimed(&l, NULL).has_certificate);
}

static void a_plan_is_to_follow_until_something_speaks_for_more(void **state)
{
    (void)state;
    struct tf_conf conf = {.name = "gw.test", .limits.line_bytes = 1234};
    struct tf_listener l = forward(TF_PROTOCOL_SMTP, TF_CLIENT_TLS_STARTTLS, "a.test:465");
    l.opportunistic = l.bridge = true;
    struct tf_facts facts = aimed(&l, NULL);
    struct tf_mail_plan plan = tf_way_plan(&conf, &l, &facts);
    assert_int_equal(plan.way, TF_MAIL_FOLLOW);
    assert_int_equal(plan.client_tls, TF_CLIENT_TLS_STARTTLS);
    assert_true(plan.is_server_tls && plan.is_opportunistic && plan.is_bridge);
    assert_int_equal(plan.line_max, 1234);
    assert_string_equal(plan.name, "gw.test");
}

static void who_comes_by_a_proxy_may_do_starttls_or_not(void **state)
{
    (void)state;
    struct tf_conf conf = {.name = ""};
    struct tf_listener l = listener(TF_KIND_CONNECT);
    struct tf_facts facts = aimed(&l, "a.test:587");
    struct tf_mail_plan plan = tf_way_plan(&conf, &l, &facts);
    assert_int_equal(plan.client_tls, TF_CLIENT_TLS_OPTIONAL);
    assert_false(plan.is_server_tls || plan.is_opportunistic || plan.is_bridge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_by_forward_goes_where_the_listener_says),
        cmocka_unit_test(who_comes_by_a_proxy_has_asked_for_nothing_yet),
        cmocka_unit_test(ports_are_mail_where_servers_speak_first_in_plain_text),
        cmocka_unit_test(who_must_begin_with_a_hello_speaks_no_mail),
        cmocka_unit_test(a_listener_may_say_that_any_port_is_mail),
        cmocka_unit_test(the_clients_tls_ends_here_where_the_legs_begin_differently),
        cmocka_unit_test(all_tls_ends_here_where_a_listener_says_so),
        cmocka_unit_test(a_certificate_is_for_clients_of_servers_unless_it_is_the_proxys),
        cmocka_unit_test(a_plan_is_to_follow_until_something_speaks_for_more),
        cmocka_unit_test(who_comes_by_a_proxy_may_do_starttls_or_not),
    };
    return cmocka_run_group_tests_name("way", tests, NULL, NULL);
}
