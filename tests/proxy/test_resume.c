/* Sessions to resume: by destination, bounded, and gone when the settings change. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../proxy/resume.h"
#include <stdio.h>

static void keep(struct resumer *r, const char *name, uint16_t port, SSL_SESSION *session)
{
    struct resume_entry *e = resume_hold(r, name, port);
    assert_non_null(e);
    resume_store(e, session);
    resume_release(e);
}

static SSL_SESSION *kept(struct resumer *r, const char *name, uint16_t port)
{
    struct resume_entry *e = resume_hold(r, name, port);
    SSL_SESSION *session = resume_session(e);
    resume_release(e);
    return session;
}

static void a_session_is_found_by_name_and_port(void **state)
{
    struct resumer r = {.max = 10};
    SSL_SESSION *session = SSL_SESSION_new();
    (void)state;
    keep(&r, "a.test", 443, session);
    assert_ptr_equal(kept(&r, "a.test", 443), session);
    assert_null(kept(&r, "a.test", 993));
    assert_null(kept(&r, "b.test", 443));
    resumer_clear(&r);
}

static void a_newer_session_takes_the_place_of_an_older_one(void **state)
{
    struct resumer r = {.max = 10};
    SSL_SESSION *newer = SSL_SESSION_new();
    (void)state;
    keep(&r, "a.test", 443, SSL_SESSION_new());
    keep(&r, "a.test", 443, newer);
    assert_ptr_equal(kept(&r, "a.test", 443), newer);
    resumer_clear(&r);
}

static void a_session_past_its_time_is_not_resumed(void **state)
{
    struct resumer r = {.max = 10};
    SSL_SESSION *session = SSL_SESSION_new();
    (void)state;
    SSL_SESSION_set_timeout(session, 0);
    keep(&r, "a.test", 443, session);
    assert_null(kept(&r, "a.test", 443));
    resumer_clear(&r);
}

static void the_destination_that_was_used_longest_ago_makes_room(void **state)
{
    struct resumer r = {.max = 3};
    SSL_SESSION *a = SSL_SESSION_new();
    char name[16];
    (void)state;
    keep(&r, "a.test", 443, a);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "n%d.test", i);
        keep(&r, name, 443, SSL_SESSION_new());
        assert_ptr_equal(kept(&r, "a.test", 443), a);
        assert_true(r.count <= 3);
    }
    assert_null(kept(&r, "n97.test", 443));
    resumer_clear(&r);
}

static void an_entry_that_is_held_outlives_the_settings_and_is_forgotten(void **state)
{
    struct resumer r = {.max = 3};
    (void)state;
    struct resume_entry *held = resume_hold(&r, "a.test", 443);
    resumer_clear(&r);
    resume_store(held, SSL_SESSION_new());
    assert_null(kept(&r, "a.test", 443));
    resume_release(held);
    resumer_clear(&r);
}

static void the_group_that_a_server_took_is_remembered(void **state)
{
    struct resumer r = {.max = 3};
    (void)state;
    struct resume_entry *e = resume_hold(&r, "a.test", 443);
    assert_int_equal(resume_group(e), 0);
    resume_set_group(e, 415);
    resume_drop(e); /* without a session, it is worth even more */
    resume_release(e);
    e = resume_hold(&r, "a.test", 443);
    assert_int_equal(resume_group(e), 415);
    resume_release(e);
    resumer_clear(&r);
}

static void nothing_is_kept_where_there_is_room_for_none(void **state)
{
    struct resumer r = {.max = 0};
    (void)state;
    assert_null(resume_hold(&r, "a.test", 443));
    resumer_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_found_by_name_and_port),
        cmocka_unit_test(a_newer_session_takes_the_place_of_an_older_one),
        cmocka_unit_test(a_session_past_its_time_is_not_resumed),
        cmocka_unit_test(the_destination_that_was_used_longest_ago_makes_room),
        cmocka_unit_test(an_entry_that_is_held_outlives_the_settings_and_is_forgotten),
        cmocka_unit_test(the_group_that_a_server_took_is_remembered),
        cmocka_unit_test(nothing_is_kept_where_there_is_room_for_none),
    };
    return cmocka_run_group_tests_name("resume", tests, NULL, NULL);
}
