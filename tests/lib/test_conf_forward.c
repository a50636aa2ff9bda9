/* The keys of a listener of kind forward, and what they mean together. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"
#include <stdio.h>

#define FORWARD "[listener x]\nlisten = 127.0.0.1:8080\nkind = forward\nprotocol = http\n"

static struct stage s;

static void an_upstream_has_port_80_unless_it_says_otherwise(void **state)
{
    (void)state;
    assert_fine(&s, FORWARD "upstream = Outlook.Office365.com\n");
    assert_int_equal(s.conf.listeners->kind, TF_KIND_FORWARD);
    assert_int_equal(s.conf.listeners->protocol, TF_PROTOCOL_HTTP);
    assert_string_equal(s.conf.listeners->upstream.host, "outlook.office365.com");
    assert_int_equal(s.conf.listeners->upstream.port, 80);
    assert_fine(&s, FORWARD "upstream = [2001:db8::1]:443\n");
    assert_string_equal(s.conf.listeners->upstream.host, "2001:db8::1");
    assert_int_equal(s.conf.listeners->upstream.port, 443);
}

static void a_wrong_upstream_is_refused_once(void **state)
{
    (void)state;
    static const char *const upstreams[] = {"a..b", "https://a/", "a:0", "a:65536", "u@a", "[::1", "::1:80"};
    for (size_t i = 0; i < sizeof upstreams / sizeof upstreams[0]; i++) {
        char lines[256];
        snprintf(lines, sizeof lines, FORWARD "upstream = %s\n", upstreams[i]);
        assert_refused(&s, lines, "write HOST or HOST:PORT");
        assert_int_equal(s.load.errors, 1);
    }
}

static void forward_needs_an_upstream_and_http(void **state)
{
    (void)state;
    assert_refused(&s, FORWARD,
                   "error t.ini:1: [listener x] has kind = forward but no upstream; write upstream =");
    assert_refused(
        &s, "[listener x]\nlisten = *:1\nkind = forward\nupstream = a\n",
        "[listener x] protocol = tls: this version forwards plain HTTP alone; write protocol = http");
    assert_refused(&s, "[listener x]\nlisten = *:1\nkind = forward\nupstream = a\nprotocol = smtp\n",
                   "this version does not have it yet; write tls or http");
    assert_refused(&s, FORWARD "upstream = a\nclient_tls = optional\n", "this version does not have it yet");
}

static void other_kinds_have_no_use_for_them(void **state)
{
    (void)state;
    assert_refused(&s, "[listener x]\nlisten = *:1\nupstream = a\n",
                   "error t.ini:3: [listener x] has an upstream, which only kind = forward has");
    assert_said(&s, "[listener x]\nlisten = *:1\nkind = sni\nprotocol = http\n",
                "warning t.ini:4: [listener x] protocol means nothing with kind = sni; leave it out");
    assert_said(&s, FORWARD "upstream = a\nport = 8443\n",
                "warning t.ini:6: [listener x] port means nothing with kind = forward; leave it out");
}

static void a_port_that_is_not_allowed_is_warned_of(void **state)
{
    (void)state;
    assert_said(&s, FORWARD "upstream = a:8080\n",
                "warning t.ini:5: [listener x] dials port 8080, which [access] port does not allow");
    assert_fine(&s, FORWARD "upstream = a:8080\n[access]\nport = 8080\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upstream_has_port_80_unless_it_says_otherwise),
        cmocka_unit_test(a_wrong_upstream_is_refused_once),
        cmocka_unit_test(forward_needs_an_upstream_and_http),
        cmocka_unit_test(other_kinds_have_no_use_for_them),
        cmocka_unit_test(a_port_that_is_not_allowed_is_warned_of),
    };
    return cmocka_run_group_tests_name("conf, forward", tests, NULL, NULL);
}
