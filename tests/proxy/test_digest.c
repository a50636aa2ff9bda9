/* Digests: known answers, again and again, and what happens where OpenSSL refuses one. */
#include "../../proxy/digest.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_digest(const struct tf_digest *digest, const char *input, const char *hex)
{
    uint8_t value[32];
    char text[2 * sizeof value + 1];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    digest->start(digest->ctx);
    for (const char *p = input; *p; p++)
        digest->add(digest->ctx, p, 1);
    digest->add(digest->ctx, "", 0);
    digest->finish(digest->ctx, value);
    tf_put_hex(&w, value, digest->size);
    tf_put_char(&w, '\0');
    assert_string_equal(text, hex);
}

static void known_inputs_have_their_known_digests_every_time(void **state)
{
    (void)state;
    struct digests d;
    assert_true(digests_init(&d));
    assert_int_equal(d.md5.size, 16);
    assert_int_equal(d.sha256.size, 32);
    for (int i = 0; i < 3; i++) {
        assert_digest(&d.md5, "", "d41d8cd98f00b204e9800998ecf8427e");
        assert_digest(&d.md5, "abc", "900150983cd24fb0d6963f7d28e17f72");
        assert_digest(&d.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
    digests_fini(&d);
}

static void one_digest_may_run_inside_another(void **state)
{
    (void)state;
    struct digests d;
    assert_true(digests_init(&d));
    d.md5.start(d.md5.ctx);
    d.md5.add(d.md5.ctx, "abc", 3);
    assert_digest(&d.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    uint8_t value[16];
    d.md5.finish(d.md5.ctx, value);
    assert_memory_equal(value, "\x90\x01\x50\x98", 4);
    digests_fini(&d);
}

static void digest_that_openssl_refuses_is_left_out(void **state)
{
    (void)state;
    struct digests d;
    static const struct tf_hello hello = {.legacy_version = TF_TLS12,
                                          .ciphers = {(const uint8_t *)"\0\x2f", 2}};
    char text[64];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    /* No provider here has this property, so that OpenSSL refuses as it does in FIPS mode. */
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    assert_true(digests_init(&d));
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(d.md5.size, 0);
    tf_put_ja3(&w, &hello, &d.md5);
    assert_int_equal(w.len, 0);
    digests_fini(&d);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_inputs_have_their_known_digests_every_time),
        cmocka_unit_test(one_digest_may_run_inside_another),
        cmocka_unit_test(digest_that_openssl_refuses_is_left_out),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
