/* base64.c: bytes to letters, and nothing but the right letters to bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/base64.h"
#include <string.h>

/* RFC 4648 10, and all 64 letters. */
static const struct pair {
    const char *bytes, *text;
} pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\x04\x20\xc4\x14\x61\xc8\x24\xa2\xcc\x34\xe3\xd0\x45\x24\xd4\x55\x65\xd8\x65\xa6\xdc\x75\xe7\xe0"
     "\x86\x28\xe4\x96\x69\xe8\xa6\xaa\xec\xb6\xeb\xf0\xc7\x2c\xf4\xd7\x6d\xf8\xe7\xae\xfc\xf7\xef\xc0",
     "BCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/A"},
    {"\xff\xff\xfe", "///+"}};

enum { PAIRS = sizeof pairs / sizeof pairs[0] };

static void bytes_become_letters(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        char room[128];
        struct tf_writer w = tf_writer_of(room, sizeof room);
        size_t n = strlen(pairs[i].bytes);
        tf_put_base64(&w, pairs[i].bytes, n);
        assert_false(w.full);
        assert_int_equal(w.len, TF_BASE64_SIZE(n));
        assert_int_equal(w.len, strlen(pairs[i].text));
        assert_memory_equal(room, pairs[i].text, w.len);
    }
}

static void letters_become_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        uint8_t room[128];
        size_t n = 99, size = strlen(pairs[i].bytes);
        assert_true(tf_base64_read(tf_text_of(pairs[i].text), room, size, &n));
        assert_int_equal(n, size);
        assert_memory_equal(room, pairs[i].bytes, n);
    }
}

static void zero_bytes_are_bytes(void **state)
{
    uint8_t room[8];
    size_t n;
    (void)state;
    assert_true(tf_base64_read(tf_text_of("AAAA"), room, sizeof room, &n));
    assert_int_equal(n, 3);
    assert_memory_equal(room, "\0\0\0", 3);
}

static void without_room_nothing_is_written(void **state)
{
    char room[8] = "........";
    struct tf_writer w = tf_writer_of(room, 7);
    (void)state;
    tf_put_base64(&w, "four", 4);
    assert_true(w.full);
    assert_int_equal(w.len, 0);
    assert_memory_equal(room, "........", 8);
}

static void what_does_not_fit_is_not_read(void **state)
{
    uint8_t room[6];
    size_t n;
    (void)state;
    assert_true(tf_base64_read(tf_text_of("Zm9vYmFy"), room, 6, &n));
    assert_false(tf_base64_read(tf_text_of("Zm9vYmFy"), room, 5, &n));
    assert_true(tf_base64_read(tf_text_of("Zm9vYmE="), room, 5, &n));
    assert_false(tf_base64_read(tf_text_of("Zm9vYg=="), room, 3, &n));
}

static void only_strict_base64_is_read(void **state)
{
    static const char *const bad[] = {"Z",        "Zg",       "Zg=",      "Zm9",      "=",        "==",
                                      "====",     "Z===",     "Zg==Zg==", "Zm8=Zm8=", "Zg=A",     "=Zm8",
                                      "Zm9v\r\n", "Zm 9v ==", "Zm9-",     "Zm9_",     "Zm9\x80",  "Zm9\xff",
                                      "Zh==",     "Zm9=",     "Zm9vYh==", "Zm9vYmF=", "Zm9vZg=\n"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t room[16];
        size_t n;
        if (tf_base64_read(tf_text_of(bad[i]), room, sizeof room, &n))
            fail_msg("%s was read", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_become_letters),          cmocka_unit_test(letters_become_bytes),
        cmocka_unit_test(zero_bytes_are_bytes),          cmocka_unit_test(without_room_nothing_is_written),
        cmocka_unit_test(what_does_not_fit_is_not_read), cmocka_unit_test(only_strict_base64_is_read),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
