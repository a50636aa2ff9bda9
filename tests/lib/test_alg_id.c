/* alg_id.c: the numbers that Windows logs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/alg_id.h"
#include "../../lib/hello.h"

static void a_protocol_is_the_bit_of_servers(void **state)
{
    static const uint16_t rows[][2] = {
        {TF_SSL2, 0x4},     {TF_SSL3, 0x10},  {TF_TLS10, 0x40}, {TF_TLS11, 0x100}, {TF_TLS12, 0x400},
        {TF_TLS13, 0x1000}, {0x7f12, 0x1000}, {0, 0},           {0x0505, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(tf_alg_protocol(rows[i][0]), rows[i][1]);
}

static void a_suite_has_the_numbers_of_its_parts(void **state)
{
    static const struct {
        uint16_t suite;
        struct tf_alg_ids ids;
    } rows[] = {
        {0x0004, {0x6801, 0x8003, 0xa400}}, /* TLS_RSA_WITH_RC4_128_MD5 */
        {0x0006, {0x6602, 0x8003, 0xa400}}, /* TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5 */
        {0x0009, {0x6601, 0x8004, 0xa400}}, /* TLS_RSA_WITH_DES_CBC_SHA */
        {0x000a, {0x6603, 0x8004, 0xa400}}, /* TLS_RSA_WITH_3DES_EDE_CBC_SHA */
        {0x0018, {0x6801, 0x8003, 0xaa02}}, /* TLS_DH_anon_WITH_RC4_128_MD5 */
        {0x002f, {0x660e, 0x8004, 0xa400}}, /* TLS_RSA_WITH_AES_128_CBC_SHA */
        {0x0031, {0x660e, 0x8004, 0}},      /* TLS_DH_RSA_WITH_AES_128_CBC_SHA */
        {0x0039, {0x6610, 0x8004, 0xaa02}}, /* TLS_DHE_RSA_WITH_AES_256_CBC_SHA */
        {0x003c, {0x660e, 0x800c, 0xa400}}, /* TLS_RSA_WITH_AES_128_CBC_SHA256 */
        {0x0041, {0, 0x8004, 0xa400}},      /* TLS_RSA_WITH_CAMELLIA_128_CBC_SHA */
        {0xc00e, {0x660e, 0x8004, 0xaa05}}, /* TLS_ECDH_RSA_WITH_AES_128_CBC_SHA */
        {0xc028, {0x6610, 0x800d, 0xae06}}, /* TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 */
        {0xc02f, {0x660e, 0, 0xae06}},      /* TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 */
        {0xcca8, {0, 0, 0xae06}},           /* TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 */
        {0x1302, {0x6610, 0, 0}},           /* TLS_AES_256_GCM_SHA384 */
        {0x5a5b, {0, 0, 0}},                /* none */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tf_alg_ids ids = tf_alg_ids_of(rows[i].suite);
        assert_int_equal(ids.cipher, rows[i].ids.cipher);
        assert_int_equal(ids.hash, rows[i].ids.hash);
        assert_int_equal(ids.key_exchange, rows[i].ids.key_exchange);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protocol_is_the_bit_of_servers),
        cmocka_unit_test(a_suite_has_the_numbers_of_its_parts),
    };
    return cmocka_run_group_tests_name("alg_id", tests, NULL, NULL);
}
