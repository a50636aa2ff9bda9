/* imap_capability.c: what a client may see of what a server says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/imap_line.h"

static const struct tf_mail_offer plain = {.has_login = true};
static const struct tf_mail_offer optional = {.has_starttls = true, .has_login = true};
static const struct tf_mail_offer demanded = {.has_starttls = true};
static const struct tf_mail_offer bridge = {.has_login = true, .is_bridge = true};

static void becomes(const char *line, const struct tf_mail_offer *offer, const char *expected)
{
    char room[256];
    struct tf_writer w = tf_writer_of(room, sizeof room - 1);
    tf_imap_put_response(&w, tf_text_of(line), offer);
    assert_false(w.full);
    room[w.len] = '\0';
    assert_string_equal(room, expected);
}

static void becomes_uncapable(const char *line, const char *expected)
{
    char room[256];
    struct tf_writer w = tf_writer_of(room, sizeof room - 1);
    tf_imap_put_uncapable(&w, tf_text_of(line));
    room[w.len] = '\0';
    assert_string_equal(room, expected);
}

#define ALL                                                                                                  \
    "* CAPABILITY IMAP4rev1 STARTTLS auth=plain AUTH=NTLM AUTH=SCRAM-SHA-1-PLUS LOGINDISABLED IDLE\r\n"

static void each_leg_has_its_own_capabilities(void **state)
{
    (void)state;
    becomes(ALL, &plain, "* CAPABILITY IMAP4rev1 auth=plain LOGINDISABLED IDLE\r\n");
    becomes(ALL, &optional, "* CAPABILITY IMAP4rev1 auth=plain LOGINDISABLED IDLE STARTTLS\r\n");
    becomes(ALL, &demanded, "* CAPABILITY IMAP4rev1 IDLE STARTTLS LOGINDISABLED\r\n");
    becomes(ALL, &bridge, "* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN AUTH=LOGIN\r\n");
}

static void capabilities_are_found_in_codes(void **state)
{
    (void)state;
    becomes("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", &plain, "* OK [CAPABILITY IMAP4rev1] hi\r\n");
    becomes("a ok [capability STARTTLS X]\r\n", &optional, "a ok [capability X STARTTLS]\r\n");
    becomes("* PREAUTH [CAPABILITY  STARTTLS ] hi\r\n", &plain, "* PREAUTH [CAPABILITY] hi\r\n");
}

static void other_lines_pass(void **state)
{
    static const char *const lines[] = {"* OK hi STARTTLS\r\n",
                                        "* OK [ALERT] STARTTLS\r\n",
                                        "* OK [CAPABILITY STARTTLS\r\n",
                                        "* OK say [CAPABILITY STARTTLS]\r\n",
                                        "a CAPABILITY STARTTLS\r\n",
                                        "* ID (\"STARTTLS\" NIL)\r\n",
                                        "* \r\n",
                                        "*\r\n",
                                        "+ STARTTLS\r\n",
                                        "\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        becomes(lines[i], &plain, lines[i]);
        becomes_uncapable(lines[i], lines[i]);
    }
}

static void what_held_before_tls_is_left_out(void **state)
{
    (void)state;
    becomes_uncapable("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", "* OK hi\r\n");
    becomes_uncapable("* OK [CAPABILITY IMAP4rev1]hi\r\n", "* OK hi\r\n");
    becomes_uncapable("* OK [CAPABILITY IMAP4rev1]\r\n", "* OK \r\n");
    becomes_uncapable("* CAPABILITY X\r\n", "* CAPABILITY X\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_leg_has_its_own_capabilities),
        cmocka_unit_test(capabilities_are_found_in_codes),
        cmocka_unit_test(other_lines_pass),
        cmocka_unit_test(what_held_before_tls_is_left_out),
    };
    return cmocka_run_group_tests_name("imap_capability", tests, NULL, NULL);
}
