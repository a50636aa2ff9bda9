/* Whether OpenSSL can do TLS 1.0: where it can, and where a policy forbids what it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../proxy/tls.h"
#include <openssl/err.h>
#include <openssl/evp.h>

static void this_openssl_can(void **state)
{
    (void)state;
    assert_true(tls_can_tls10());
    assert_int_equal(ERR_peek_error(), 0);
}

static void openssl_whose_policy_forbids_it_cannot(void **state)
{
    (void)state;
    /* No provider here has this property, so that OpenSSL refuses as it does in FIPS mode. */
    assert_int_equal(EVP_set_default_properties(NULL, "fips=yes"), 1);
    assert_false(tls_can_tls10());
    assert_int_equal(EVP_set_default_properties(NULL, ""), 1);
    assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_openssl_can),
        cmocka_unit_test(openssl_whose_policy_forbids_it_cannot),
    };
    return cmocka_run_group_tests_name("tls_ability", tests, NULL, NULL);
}
