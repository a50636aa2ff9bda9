/* conf_print.c: the dump loads to what it shows, and the reference has every key. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/conf_table.h"
#include "conf_stage.h"

static struct stage first, second;
static char text[1 << 16];

static void dump(const struct stage *s)
{
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_conf(&w, &s->conf);
    assert_false(w.full);
    text[w.len] = '\0';
}

static const char lines[] =
    "[listener proxy]\nlisten = 127.0.0.1:3128\n"
    "[rule a]\naction = monitor\ndestination = *.Example.com, 10.0.0.0/8\nuntil = 2099-01-01\n"
    "[upstream]\nresolve = a:1:1.2.3.4\nresolve = b:*:[::1]:5\n"
    "[limits]\nidle_s = 0.5\n";

static void every_line_says_where_it_comes_from(void **state)
{
    (void)state;
    stage_begin(&first);
    stage_feed(&first, lines);
    tf_conf_environment(&first.load, "TLSFLOOR_LIMITS_DIAL_S", "7");
    assert_true(stage_end(&first));
    dump(&first);
    assert_non_null(strstr(text, "\n[rule a]\n"));
    assert_non_null(strstr(text, "idle_s = 0.5                            ; t.ini:11\n"));
    assert_non_null(strstr(text, "hello_s = 10                            ; default\n"));
    assert_non_null(
        strstr(text, "dial_s = 7                              ; environment TLSFLOOR_LIMITS_DIAL_S\n"));
    assert_non_null(strstr(text, "resolve = a:1:1.2.3.4                   ; t.ini:8\n"
                                 "resolve = b:*:[::1]:5                   ; t.ini:9\n"));
}

static void what_was_overridden_is_not_dumped(void **state)
{
    (void)state;
    stage_begin(&first);
    stage_feed(&first, lines);
    tf_conf_environment(&first.load, "TLSFLOOR_UPSTREAM_RESOLVE", "c:1:1.2.3.4");
    assert_true(stage_end(&first));
    dump(&first);
    assert_non_null(
        strstr(text, "resolve = c:1:1.2.3.4                   ; environment TLSFLOOR_UPSTREAM_RESOLVE\n"));
    assert_null(strstr(text, "a:1:"));
    assert_null(strstr(text, "b:*:"));
}

/* The comments are cut off as a file's would be. */
static void the_dump_loads_to_the_same_settings(void **state)
{
    static char again[sizeof text];
    (void)state;
    assert_fine(&first, lines);
    dump(&first);
    strcpy(again, text);
    for (char *comment; (comment = strstr(again, " ; ")) != NULL;)
        memset(comment, ' ', strcspn(comment, "\n"));
    assert_fine(&second, again);

    assert_memory_equal(&first.conf.limits, &second.conf.limits, sizeof first.conf.limits);
    assert_int_equal(second.conf.policy.rule_count, 1);
    assert_int_equal(second.conf.policy.rules[0].destination_count, 2);
    assert_int_equal(second.conf.policy.rules[0].until_day, first.conf.policy.rules[0].until_day);
    assert_string_equal(second.conf.overrides->next->host, "b");
    assert_null(second.conf.overrides->next->next);
}

static void the_reference_has_every_key_that_can_be_set(void **state)
{
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    (void)state;
    tf_put_conf_reference(&w);
    assert_false(w.full);
    text[w.len] = '\0';
    for (size_t i = 0; i < TF_SECTION_COUNT; i++)
        for (size_t k = 0; k < tf_section_infos[i].key_count; k++) {
            const struct tf_key *key = &tf_section_infos[i].keys[k];
            char row[64];
            snprintf(row, sizeof row, "| `%s` | ", key->name);
            assert_non_null(strstr(text, row));
        }
    assert_non_null(strstr(text, "| `idle_s` | `3600` | seconds, 0.1 to 604800 | "));
    assert_non_null(strstr(text, "| `ca_file` | `system` | a file or system | "));
    assert_non_null(strstr(text, "| `action` | required | tunnel, upgrade, block or monitor | "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_says_where_it_comes_from),
        cmocka_unit_test(what_was_overridden_is_not_dumped),
        cmocka_unit_test(the_dump_loads_to_the_same_settings),
        cmocka_unit_test(the_reference_has_every_key_that_can_be_set),
    };
    return cmocka_run_group_tests_name("conf_print", tests, NULL, NULL);
}
