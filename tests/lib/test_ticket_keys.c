/* ticket_keys.c: lines to keys, and nothing but whole, random, different ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/base64.h"
#include "../../lib/ticket_keys.h"
#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = 80, LINE_MAX_SIZE = 256 };

static void fill(uint8_t key[KEY_SIZE], unsigned seed)
{
    for (unsigned i = 0; i < KEY_SIZE; i++)
        key[i] = (uint8_t)(seed + i * 7 + 1);
}

/* The key of a seed in hexadecimal, NUL-terminated. */
static const char *hex_of(unsigned seed, char line[LINE_MAX_SIZE])
{
    uint8_t key[KEY_SIZE];
    struct tf_writer w = tf_writer_of(line, LINE_MAX_SIZE);
    fill(key, seed);
    tf_put_hex(&w, key, sizeof key);
    tf_put_char(&w, '\0');
    return line;
}

static const char *base64_of(unsigned seed, char line[LINE_MAX_SIZE])
{
    uint8_t key[KEY_SIZE];
    struct tf_writer w = tf_writer_of(line, LINE_MAX_SIZE);
    fill(key, seed);
    tf_put_base64(&w, key, sizeof key);
    tf_put_char(&w, '\0');
    return line;
}

static void assert_key(const struct tf_ticket_key *key, unsigned seed)
{
    uint8_t wanted[KEY_SIZE];
    fill(wanted, seed);
    assert_memory_equal(key->name, wanted, 16);
    assert_memory_equal(key->mac, wanted + 16, 32);
    assert_memory_equal(key->cipher, wanted + 48, 32);
}

static void assert_refused(const char *text, const char *words, unsigned line)
{
    static const struct tf_ticket_keys nothing;
    struct tf_ticket_keys keys;
    unsigned at = 99;
    const char *why = tf_ticket_keys_parse(tf_text_of(text), &keys, &at);
    assert_non_null(why);
    assert_non_null(strstr(why, words));
    assert_int_equal(at, line);
    assert_memory_equal(&keys, &nothing, sizeof keys);
}

static void keys_are_taken_in_their_order_and_in_both_spellings(void **state)
{
    char text[2048], a[LINE_MAX_SIZE], b[LINE_MAX_SIZE], c[LINE_MAX_SIZE];
    struct tf_ticket_keys keys;
    unsigned line;
    (void)state;
    snprintf(text, sizeof text, "# of October\r\n  %s\t\r\n\n; older\n%s\n%s", hex_of(1, a), base64_of(2, b),
             hex_of(3, c));
    for (char *digit = strstr(text, c); *digit != '\0'; digit++)
        if (*digit >= 'a' && *digit <= 'f')
            *digit = (char)(*digit - 'a' + 'A');
    assert_null(tf_ticket_keys_parse(tf_text_of(text), &keys, &line));
    assert_int_equal(keys.count, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_key(&keys.list[i], i + 1);
}

static void what_is_no_whole_key_is_refused_at_its_line(void **state)
{
    char text[1024], a[LINE_MAX_SIZE], b[LINE_MAX_SIZE];
    (void)state;
    snprintf(text, sizeof text, "%s\n\n%.158s\n", hex_of(1, a), hex_of(2, b));
    assert_refused(text, "this is no key of 80 bytes", 3);
    snprintf(text, sizeof text, "%s0\n", a);
    assert_refused(text, "this is no key of 80 bytes", 1);
    a[77] = 'g';
    assert_refused(a, "this is no key of 80 bytes", 1);
    base64_of(1, a);
    a[107] = 'A'; /* 81 bytes */
    assert_refused(a, "this is no key of 80 bytes", 1);
    base64_of(1, a);
    a[3] = '-';
    assert_refused(a, "this is no key of 80 bytes", 1);
    snprintf(text, sizeof text, "%.64s\n%s\n", base64_of(1, a), a + 64); /* as openssl wraps it */
    assert_refused(text, "in one line of base64", 1);
}

static void keys_that_nobody_drew_are_refused(void **state)
{
    char a[LINE_MAX_SIZE], text[LINE_MAX_SIZE];
    (void)state;
    for (size_t from = 0; from < 160; from += from == 0 ? 32 : 64) { /* name, HMAC, AES */
        hex_of(1, a);
        memset(a + from, '0', from == 0 ? 32 : 64);
        snprintf(text, sizeof text, "\n%s", a);
        assert_refused(text, "this key is not random", 2);
    }
}

static void keys_of_one_name_are_refused(void **state)
{
    char text[1024], a[LINE_MAX_SIZE], b[LINE_MAX_SIZE];
    (void)state;
    snprintf(text, sizeof text, "%s\n%s", hex_of(1, a), base64_of(1, b));
    assert_refused(text, "the same 16 bytes", 2);
    hex_of(2, b);
    memcpy(b, a, 32);
    snprintf(text, sizeof text, "%s\n%s\n", a, b);
    assert_refused(text, "the same 16 bytes", 2);
}

static void there_are_one_to_sixteen(void **state)
{
    char text[8192] = "", line[LINE_MAX_SIZE];
    struct tf_ticket_keys keys;
    unsigned at;
    (void)state;
    for (unsigned i = 1; i <= 16; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", hex_of(i, line));
    assert_null(tf_ticket_keys_parse(tf_text_of(text), &keys, &at));
    assert_int_equal(keys.count, 16);
    assert_key(&keys.list[15], 16);
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", hex_of(17, line));
    assert_refused(text, "more than 16 keys", 17);
    assert_refused("", "there is no key in it", 0);
    assert_refused("# none yet\n\n", "there is no key in it", 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_taken_in_their_order_and_in_both_spellings),
        cmocka_unit_test(what_is_no_whole_key_is_refused_at_its_line),
        cmocka_unit_test(keys_that_nobody_drew_are_refused),
        cmocka_unit_test(keys_of_one_name_are_refused),
        cmocka_unit_test(there_are_one_to_sixteen),
    };
    return cmocka_run_group_tests_name("ticket_keys", tests, NULL, NULL);
}
