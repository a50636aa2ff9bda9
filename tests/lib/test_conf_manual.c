/* conf_manual.c: the manual's middle has every key, and nothing in it that roff takes for its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/conf_table.h"

#include <string.h>

static char text[1 << 16];

static int setup(void **state)
{
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    (void)state;
    tf_put_conf_manual(&w);
    assert_false(w.full);
    text[w.len] = '\0';
    return 0;
}

static void every_section_and_key_has_its_place(void **state)
{
    (void)state;
    const char *at = text;
    for (size_t i = 0; i < TF_SECTION_COUNT; i++) {
        const struct tf_section_info *info = &tf_section_infos[i];
        char line[64];
        snprintf(line, sizeof line, ".Ss Bq Ic %s%s\n", info->name,
                 info->object == TF_OBJECT_PLAIN ? "" : " Ar NAME");
        assert_non_null(at = strstr(at, line));
        for (size_t k = 0; k < info->key_count; k++) {
            snprintf(line, sizeof line, "\n.It Ic %s Pq \"", info->keys[k].name);
            assert_non_null(at = strstr(at, line));
        }
    }
}

static void a_key_has_values_meaning_and_default(void **state)
{
    (void)state;
    assert_non_null(strstr(text, ".It Ic idle_s Pq \"seconds, 0.1 to 604800\"\n"
                                 "without a byte on a connection that is set up.\n"
                                 "Default: \\fB3600\\fR.\n"));
    assert_non_null(strstr(text, ".It Ic action Pq \"tunnel, upgrade, block or monitor\"\n"));
    assert_non_null(strstr(text, "what would be blocked is logged.\nRequired.\n"));
    assert_non_null(strstr(text, "who logs in to it (Basic); empty: nobody.\n.It"));
}

static void no_line_is_a_request_that_was_not_meant(void **state)
{
    (void)state;
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
        assert_int_not_equal(line[0], '\'');
        if (line[0] == '.')
            assert_true(strncmp(line, ".Ss ", 4) == 0 || strncmp(line, ".It ", 4) == 0 ||
                        strncmp(line, ".Bl ", 4) == 0 || strncmp(line, ".El\n", 4) == 0);
    }
}

static void what_roff_would_change_is_escaped(void **state)
{
    (void)state;
    assert_null(strchr(text, '`'));
    assert_non_null(strstr(text, "Default: \\fB\\-\\fR.\n"));          /* [log] block */
    assert_non_null(strstr(text, "\\fBtlsfloor hash\\-password\\fR")); /* `words` are code */
    assert_non_null(strstr(text, "the server\\(aqs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section_and_key_has_its_place),
        cmocka_unit_test(a_key_has_values_meaning_and_default),
        cmocka_unit_test(no_line_is_a_request_that_was_not_meant),
        cmocka_unit_test(what_roff_would_change_is_escaped),
    };
    return cmocka_run_group_tests_name("conf_manual", tests, setup, NULL);
}
