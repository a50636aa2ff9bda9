/* conf_check_page.c: rules with a page that can show none, and texts that are not fit for one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"

#define RULE(action) STAGE_LISTENER "[rule r]\ndestination = a.test\naction = " action "\npage = on\n"

static struct stage s;

static void a_page_in_front_of_a_block_is_fine(void **state)
{
    (void)state;
    assert_fine(&s, RULE("tunnel"));
    assert_fine(&s, RULE("block") "[page]\ntext = Sorry.\ncontact = us\nlink = https://a.test/\n");
    assert_string_equal(s.conf.policy.page.contact, "us");
    assert_true(s.conf.policy.rules[0].page);
    assert_fine(&s, RULE("tunnel") "[page]\nlink = mailto:help@a.test\n");
    assert_fine(&s, RULE("tunnel") "[page]\nlink = http://a.test\n");
}

static void a_page_needs_a_CA(void **state)
{
    (void)state;
    assert_refused(
        &s, RULE("tunnel") "[ca]\ndirectory = off\n",
        "error t.ini:6: [rule r] page = on needs a CA, and [ca] directory is off; write a directory "
        "there, or page = off here\n");
}

static void where_nobody_is_blocked_or_can_be_shown_one_it_is_told(void **state)
{
    (void)state;
    assert_said(&s, RULE("monitor"),
                "warning t.ini:6: [rule r] page = on shows nobody a page where action = monitor, ");
    assert_said(&s, RULE("upgrade"),
                "warning t.ini:6: [rule r] page = on shows nobody a page where action = upgrade: ");
}

static void texts_that_nobody_sees_are_told(void **state)
{
    (void)state;
    assert_said(&s, STAGE_LISTENER "[page]\ncontact = us\n",
                "warning t.ini:4: [page] contact is seen by nobody: no rule has page = on\n");
}

static void texts_are_bounded(void **state)
{
    char lines[2048];
    struct tf_writer w = tf_writer_of(lines, sizeof lines - 1);
    (void)state;
    tf_put_text(&w, RULE("tunnel") "[page]\ncontact = ");
    for (int i = 0; i < 200; i++)
        tf_put_char(&w, 'x');
    lines[w.len] = '\0';
    assert_fine(&s, lines);
    tf_put_char(&w, 'x');
    lines[w.len] = '\0';
    assert_refused(&s, lines, "error t.ini:8: [page] contact is longer than 200 bytes; ");
}

static void a_link_is_one_that_a_browser_opens(void **state)
{
    (void)state;
    assert_refused(
        &s, RULE("tunnel") "[page]\nlink = javascript:alert(1)\n",
        "error t.ini:8: [page] link = javascript:alert(1) is no address that a browser can open; ");
    assert_refused(&s, RULE("tunnel") "[page]\nlink = help.example\n", "write https://...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_in_front_of_a_block_is_fine),
        cmocka_unit_test(a_page_needs_a_CA),
        cmocka_unit_test(where_nobody_is_blocked_or_can_be_shown_one_it_is_told),
        cmocka_unit_test(texts_that_nobody_sees_are_told),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(a_link_is_one_that_a_browser_opens),
    };
    return cmocka_run_group_tests_name("conf_check_page", tests, NULL, NULL);
}
