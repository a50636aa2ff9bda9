/* policy.c: which blocked sessions may be shown a page. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "policy_stage.h"

static const uint8_t aes[] = {0x00, 0x2f}, rc4[] = {0x00, 0x05}, fallback[] = {0x00, 0x2f, 0x56, 0x00};
static const uint8_t sslv2_aes[] = {0x00, 0x00, 0x2f};
static struct tf_rule people;
static struct tf_policy p;

static int begin(void **state)
{
    (void)state;
    people = rule(TF_ACTION_TUNNEL);
    people.page = true;
    p = policy(&people, 1);
    p.can_upgrade = true;
    return 0;
}

static struct tf_facts client(uint16_t version)
{
    struct tf_facts f = session(version);
    f.hello.ciphers = (struct tf_span){aes, sizeof aes};
    return f;
}

static bool is_shown(struct tf_facts f)
{
    assert_int_equal(tf_policy_decide(&p, &f, TODAY), TF_DECIDED);
    return tf_policy_allows_page(&p, &f);
}

static void who_is_below_the_floor_may_be_shown_one(void **state)
{
    (void)state;
    assert_true(is_shown(client(TF_TLS10)));
    assert_true(is_shown(client(TF_TLS11)));
    people.action = TF_ACTION_BLOCK;
    assert_true(is_shown(client(TF_TLS10)));
}

static void who_is_at_the_floor_is_not(void **state)
{
    (void)state;
    assert_false(is_shown(client(TF_TLS12)));
    people.action = TF_ACTION_BLOCK; /* blocked, and not for its version */
    assert_false(is_shown(client(TF_TLS12)));
    p.floor = TF_TLS13;
    assert_true(is_shown(client(TF_TLS12)));
}

static void only_the_rule_that_matches_counts(void **state)
{
    (void)state;
    people.page = false;
    assert_false(is_shown(client(TF_TLS10)));
    people.page = true;
    people.until_day = TODAY - 1;
    assert_false(is_shown(client(TF_TLS10)));
}

static void who_is_not_blocked_is_shown_nothing(void **state)
{
    (void)state;
    people.action = TF_ACTION_MONITOR;
    assert_false(is_shown(client(TF_TLS10)));
    people.action = TF_ACTION_UPGRADE;
    assert_false(is_shown(client(TF_TLS10)));
    people.action = TF_ACTION_TUNNEL;
    p.monitor = true;
    assert_false(is_shown(client(TF_TLS10)));
}

static void what_cannot_be_upgraded_cannot_be_shown_one(void **state)
{
    static const char *const never[] = {"www.example.com"};
    struct tf_facts f = client(TF_SSL3);
    (void)state;
    assert_false(is_shown(f));
    f = client(TF_TLS10);
    f.hello.ciphers = (struct tf_span){rc4, sizeof rc4};
    assert_false(is_shown(f));
    f.hello.ciphers = (struct tf_span){fallback, sizeof fallback};
    assert_false(is_shown(f));
    f = client(TF_TLS10);
    f.hello.server_name = (struct tf_span){(const uint8_t *)"other.example", 13};
    assert_false(is_shown(f));
    p.never_terminate = never;
    p.never_terminate_count = 1;
    assert_false(is_shown(client(TF_TLS10)));
}

static void an_address_needs_a_name(void **state)
{
    struct tf_facts f = client(TF_TLS10);
    (void)state;
    assert_int_equal(tf_authority_parse("93.184.216.34:443", 17, 0, &f.target), TF_HOST_OK);
    assert_false(is_shown(f));
    strcpy(f.name, "www.example.com");
    assert_true(is_shown(f));
}

static void without_a_certificate_there_is_none(void **state)
{
    struct tf_facts f = client(TF_TLS10);
    (void)state;
    p.can_upgrade = false;
    assert_false(is_shown(f));
    f.has_certificate = true; /* the listener's own */
    assert_true(is_shown(f));
}

static void an_SSLv2_hello_that_announces_TLS_1_0_may_be_met(void **state)
{
    struct tf_facts f = client(TF_TLS10);
    (void)state;
    f.hello.format = TF_FORMAT_SSLV2;
    f.hello.ciphers = (struct tf_span){sslv2_aes, sizeof sslv2_aes};
    assert_true(is_shown(f));
    f.hello.max_version = TF_TLS12;
    assert_false(is_shown(f)); /* its version is not what is wrong with it */
}

static void mail_and_plain_text_are_refused_in_their_own_words(void **state)
{
    struct tf_facts f = client(TF_TLS10);
    (void)state;
    f.mail = TF_MAIL_IMAP;
    assert_false(is_shown(f));
    f = client(TF_TLS10);
    f.ask = TF_ASK_HTTP;
    people.action = TF_ACTION_BLOCK;
    assert_false(is_shown(f));
}

static void the_words_come_with_the_rule(void **state)
{
    struct tf_facts f = client(TF_TLS10);
    (void)state;
    tf_policy_decide(&p, &f, TODAY);
    assert_ptr_equal(f.page, &p.page);
    people.page = false;
    tf_policy_decide(&p, &f, TODAY);
    assert_null(f.page);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_below_the_floor_may_be_shown_one),
        TEST(who_is_at_the_floor_is_not),
        TEST(only_the_rule_that_matches_counts),
        TEST(who_is_not_blocked_is_shown_nothing),
        TEST(what_cannot_be_upgraded_cannot_be_shown_one),
        TEST(an_address_needs_a_name),
        TEST(without_a_certificate_there_is_none),
        TEST(an_SSLv2_hello_that_announces_TLS_1_0_may_be_met),
        TEST(mail_and_plain_text_are_refused_in_their_own_words),
        TEST(the_words_come_with_the_rule),
    };
    return cmocka_run_group_tests_name("policy_page", tests, NULL, NULL);
}
