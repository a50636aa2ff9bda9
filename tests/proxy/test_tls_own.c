/* A listener's own certificate: its files, TLS to the proxy itself, and TLS that ends here in the place of
 * the server's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../proxy/tls_own.h"
#include "tls_pair.h"
#include <sys/stat.h>

#define NAME "proxy.test"

static char directory[] = "/tmp/tlsfloor-test-XXXXXX";
static struct maker ca, ecdsa, rsa, small, expired;

static const char *path_of(const char *name)
{
    static char paths[4][64];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void write_pair(const char *certificate, const char *secret, const struct maker *m)
{
    X509 *chain[] = {m->certificate, ca.certificate};
    cert_write(path_of(certificate), chain, 2, NULL, NULL);
    cert_write(path_of(secret), NULL, 0, m->key, NULL);
    chmod(path_of(secret), 0600);
}

static int setup(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    ca = cert_make(&(struct cert_plan){.cn = "our ca", .is_ca = true}, NULL);
    ecdsa = cert_make(&(struct cert_plan){.cn = NAME, .san = "DNS:" NAME}, &ca);
    rsa = cert_make(&(struct cert_plan){.cn = NAME, .san = "DNS:" NAME, .rsa_bits = 2048}, &ca);
    small = cert_make(&(struct cert_plan){.cn = NAME, .rsa_bits = 1024}, &ca);
    expired = cert_make(&(struct cert_plan){.cn = NAME, .from_s = -200, .to_s = -100}, &ca);
    write_pair("ecdsa.pem", "ecdsa.key", &ecdsa);
    write_pair("rsa.pem", "rsa.key", &rsa);
    write_pair("small.pem", "small.key", &small);
    write_pair("expired.pem", "expired.key", &expired);
    X509 *chain[] = {rsa.certificate, ca.certificate};
    cert_write(path_of("both.pem"), chain, 2, rsa.key, NULL);
    chmod(path_of("both.pem"), 0640);
    cert_write(path_of("secret.key"), NULL, 0, ecdsa.key, "password");
    chmod(path_of("secret.key"), 0600);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    static const char *const names[] = {"ecdsa.pem", "ecdsa.key", "rsa.pem",     "rsa.key",     "small.pem",
                                        "small.key", "both.pem",  "expired.pem", "expired.key", "secret.key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    cert_free(&ca);
    cert_free(&ecdsa);
    cert_free(&rsa);
    cert_free(&small);
    cert_free(&expired);
    return rmdir(directory);
}

static struct tls_own *try_load(uint16_t floor, enum tf_kind kind, const char *certificate,
                                const char *secret, char *error, size_t size)
{
    struct tf_conf conf = {.limits.client_sessions = 100};
    struct tf_listener listener = {.name = "front", .kind = kind, .key = ""};
    conf.policy.floor = floor;
    listener.certificate = path_of(certificate);
    if (secret[0] != '\0')
        listener.key = path_of(secret);
    return tls_own_load(&conf, &listener, error, size);
}

static struct tls_own *load(uint16_t floor, enum tf_kind kind, const char *certificate, const char *secret)
{
    char error[512] = "";
    struct tls_own *own = try_load(floor, kind, certificate, secret, error, sizeof error);
    if (own == NULL)
        fail_msg("%s", error);
    return own;
}

/* --- files --- */

static void assert_refused(const char *certificate, const char *secret, const char *setting,
                           const char *words)
{
    char error[512] = "";
    assert_null(try_load(TF_TLS12, TF_KIND_CONNECT, certificate, secret, error, sizeof error));
    assert_int_equal(ERR_peek_error(), 0);
    if (strncmp(error, setting, strlen(setting)) != 0 || strstr(error, words) == NULL)
        fail_msg("%s ... %s\nis not:\n%s", setting, words, error);
}

static void files_that_are_no_good_are_refused_in_words(void **state)
{
    (void)state;
    assert_refused("nowhere.pem", "rsa.key", "[listener front] certificate: /tmp/",
                   "No such file or directory");
    assert_refused("rsa.key", "rsa.key", "[listener front] certificate: /tmp/", "then its chain, as PEM");
    assert_refused("rsa.pem", "ecdsa.key", "[listener front] key: /tmp/",
                   "this is not the key of [listener front] certificate");
    assert_refused("rsa.pem", "", "[listener front] certificate: /tmp/",
                   "there is no key in it that can be read; write key = and the file with it");
    assert_refused("ecdsa.pem", "secret.key", "[listener front] key: /tmp/", "the key has a password");
    assert_refused("small.pem", "small.key", "[listener front] certificate: /tmp/", "ee key too small");
}

static void nobody_waits_for_a_fifo(void **state)
{
    char path[512];
    (void)state;
    snprintf(path, sizeof path, "%s/fifo", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_refused("fifo", "rsa.key", "[listener front] certificate: /tmp/", "this is a FIFO");
    assert_refused("rsa.pem", "fifo", "[listener front] key: /tmp/", "this is a FIFO");
    unlink(path);
}

static void key_is_for_its_owner_and_a_group_and_nobody_else(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool is_taken;
    } rows[] = {{0600, true},  {0400, true},  {0640, true}, {0440, true},
                {0644, false}, {0604, false}, {0660, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(chmod(path_of("ecdsa.key"), rows[i].mode), 0);
        if (rows[i].is_taken)
            tls_own_free(load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key"));
        else
            assert_refused("ecdsa.pem", "ecdsa.key", "[listener front] key: /tmp/", "; chmod 600");
    }
    chmod(path_of("ecdsa.key"), 0600);
    chmod(path_of("both.pem"), 0644);
    assert_refused("both.pem", "", "[listener front] certificate: /tmp/", "; chmod 600");
    chmod(path_of("both.pem"), 0640);
    tls_own_free(load(TF_TLS12, TF_KIND_CONNECT, "both.pem", ""));
}

static void end_of_a_certificate_is_told_and_its_end_does_not_keep_it_out(void **state)
{
    (void)state;
    struct tls_own *old = load(TF_TLS12, TF_KIND_CONNECT, "expired.pem", "expired.key"),
                   *own = load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key");
    int64_t now = time(NULL);
    assert_in_range(now - tls_own_expires(old), 90, 1000);
    assert_in_range(tls_own_expires(own) - now, 86000, 86400);
    char subject[64] = "";
    struct tf_writer w = tf_writer_of(subject, sizeof subject - 1);
    tls_own_put_subject(own, &w);
    assert_string_equal(subject, "CN=" NAME);
    tls_own_free(old);
    tls_own_free(own);
    tls_own_free(NULL);
}

/* --- handshakes --- */

/* What a client with these versions and suites agrees on with one of ours, which is taken over; 0: nothing.
 */
static uint16_t agree(SSL *server, int lowest, int highest, const char *ciphers)
{
    SSL_CTX *context = pair_peer(TLS_client_method(), lowest, highest, NULL, NULL, 0);
    assert_non_null(server);
    if (ciphers != NULL)
        assert_int_equal(SSL_CTX_set_cipher_list(context, ciphers), 1);
    SSL *client = pair_client(context, NULL);
    uint16_t version = pair_shake(server, client) ? tls_leg(server).version : 0;
    if (version != 0) /* the chain was shown */
        assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(client)), 2);
    SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return version;
}

static void tls_to_the_proxy_holds_the_floor(void **state)
{
    (void)state;
    struct tls_own *own = load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key"),
                   *high = load(TF_TLS13, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key");
    assert_int_equal(agree(tls_own_outer(own), TLS1_VERSION, TLS1_3_VERSION, NULL), TF_TLS13);
    assert_int_equal(agree(tls_own_outer(own), TLS1_VERSION, TLS1_2_VERSION, NULL), TF_TLS12);
    assert_int_equal(agree(tls_own_outer(own), TLS1_VERSION, TLS1_1_VERSION, NULL), 0);
    assert_int_equal(agree(tls_own_outer(high), TLS1_VERSION, TLS1_3_VERSION, NULL), TF_TLS13);
    assert_int_equal(agree(tls_own_outer(high), TLS1_VERSION, TLS1_2_VERSION, NULL), 0);
    tls_own_free(own);
    tls_own_free(high);
}

static void tls_to_the_proxy_takes_strong_suites_only(void **state)
{
    (void)state;
    static const char *const weak[] = {"AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "aNULL"};
    struct tls_own *own = load(TF_TLS12, TF_KIND_CONNECT, "rsa.pem", "rsa.key");
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++)
        assert_int_equal(agree(tls_own_outer(own), TLS1_2_VERSION, TLS1_2_VERSION, weak[i]), 0);
    assert_int_equal(agree(tls_own_outer(own), TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"),
                     TF_TLS12);
    assert_int_equal(agree(tls_own_outer(own), TLS1_2_VERSION, TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256"),
                     TF_TLS12);
    tls_own_free(own);
}

static void in_the_place_of_the_server_old_versions_are_for_old_clients_only(void **state)
{
    (void)state;
    struct tls_own *own = load(TF_TLS12, TF_KIND_FORWARD, "rsa.pem", "rsa.key");
    assert_int_equal(agree(tls_own_inside(own, true, NAME, NULL), TLS1_VERSION, TLS1_VERSION, "AES128-SHA"),
                     TF_TLS10);
    assert_int_equal(agree(tls_own_inside(own, true, NAME, NULL), TLS1_VERSION, TLS1_1_VERSION, NULL),
                     TF_TLS11);
    assert_int_equal(agree(tls_own_inside(own, false, NAME, NULL), TLS1_VERSION, TLS1_1_VERSION, NULL), 0);
    assert_int_equal(agree(tls_own_inside(own, false, NAME, NULL), TLS1_VERSION, TLS1_2_VERSION, NULL),
                     TF_TLS12);
    assert_int_equal(agree(tls_own_inside(own, false, NAME, NULL), TLS1_VERSION, TLS1_3_VERSION, NULL),
                     TF_TLS13);
    tls_own_free(own);
}

static void certificate_of_the_other_kind_is_no_common_suite(void **state)
{
    (void)state;
    static const struct {
        const char *certificate, *secret, *suite;
    } rows[] = {{"rsa.pem", "rsa.key", "ECDHE-ECDSA-AES128-SHA"}, {"ecdsa.pem", "ecdsa.key", "AES128-SHA"}};
    for (size_t i = 0; i < 2; i++) {
        char why[256] = "";
        struct tf_writer w = tf_writer_of(why, sizeof why - 1);
        struct tls_own *own = load(TF_TLS12, TF_KIND_FORWARD, rows[i].certificate, rows[i].secret);
        SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_VERSION, TLS1_VERSION, NULL, NULL, 0);
        assert_int_equal(SSL_CTX_set_cipher_list(context, rows[i].suite), 1);
        SSL *server = tls_own_inside(own, true, NAME, NULL), *client = pair_client(context, NULL);
        assert_false(pair_shake(server, client));
        assert_int_equal(tls_own_failure(server, &w), TF_REASON_NO_COMMON_SUITE);
        assert_non_null(strstr(why, "the client has no suite that goes with this certificate"));
        SSL_free(client);
        SSL_free(server);
        SSL_CTX_free(context);
        tls_own_free(own);
    }
}

/* --- sessions and ALPN --- */

/* A client that resumes a session where it has one, and that the server is shown by whatever keys there are.
 */
static bool is_resumed(struct tickets *keys, int version, SSL *server, SSL_SESSION **session)
{
    SSL_CTX *context = pair_peer(TLS_client_method(), version, version, NULL, NULL, 0);
    SSL *client = pair_client(context, NULL);
    tickets_attach(server, keys);
    if (*session != NULL)
        assert_int_equal(SSL_set_session(client, *session), 1);
    assert_true(pair_shake(server, client));
    pair_settle(client, server);
    bool resumed = tls_leg(server).resumed;
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client);
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return resumed;
}

static void tickets_are_good_for_the_same_certificate_role_and_floor_alone(void **state)
{
    (void)state;
    struct tickets *keys = pair_tickets("");
    struct tls_own *own = load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key"),
                   *same = load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key"),
                   *other = load(TF_TLS12, TF_KIND_CONNECT, "rsa.pem", "rsa.key"),
                   *high = load(TF_TLS13, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key");
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        int v = versions[i];
        SSL_SESSION *session = NULL;
        assert_false(is_resumed(keys, v, tls_own_outer(own), &session));
        assert_true(is_resumed(keys, v, tls_own_outer(own), &session));
        assert_true(is_resumed(keys, v, tls_own_outer(same), &session));
        assert_false(is_resumed(keys, v, tls_own_outer(other), &session));
        assert_false(is_resumed(keys, v, tls_own_outer(own), &session));
        assert_false(is_resumed(keys, v, tls_own_inside(own, true, NAME, NULL), &session));
        assert_true(is_resumed(keys, v, tls_own_inside(same, true, NAME, NULL), &session));
        assert_false(is_resumed(keys, v, tls_own_inside(own, true, "other.test", NULL), &session));
        assert_false(is_resumed(keys, v, tls_own_outer(own), &session));
        if (v == TLS1_3_VERSION) /* the other is not spoken there at all */
            assert_false(is_resumed(keys, v, tls_own_outer(high), &session));
        SSL_SESSION_free(session);
    }
    assert_int_equal(tickets_unknown(keys), 0);
    tls_own_free(own);
    tls_own_free(same);
    tls_own_free(other);
    tls_own_free(high);
    tickets_unref(keys);
}

static void connection_outlives_the_certificate_that_it_began_with(void **state)
{
    (void)state;
    struct tls_own *own = load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key");
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_3_VERSION, TLS1_3_VERSION, NULL, NULL, 0);
    SSL *server = tls_own_outer(own), *client = pair_client(context, NULL);
    tls_own_free(own);
    assert_true(pair_shake(server, client));
    pair_settle(client, server);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
}

static void assert_told(SSL *server, const char *offered, const char *told)
{
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_2_VERSION, TLS1_3_VERSION, NULL, NULL, 0);
    SSL *client = pair_client(context, NULL);
    const unsigned char *got;
    unsigned n;
    assert_int_equal(SSL_set_alpn_protos(client, (const unsigned char *)offered, (unsigned)strlen(offered)),
                     0);
    assert_true(pair_shake(server, client));
    SSL_get0_alpn_selected(client, &got, &n);
    assert_int_equal(n, strlen(told));
    assert_memory_equal(got, told, n);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
}

static void http_proxy_says_that_it_speaks_http_1_1(void **state)
{
    (void)state;
    struct tls_own *own = load(TF_TLS12, TF_KIND_CONNECT, "ecdsa.pem", "ecdsa.key"),
                   *socks = load(TF_TLS12, TF_KIND_SOCKS5, "ecdsa.pem", "ecdsa.key");
    assert_told(tls_own_outer(own), "\x02h2\x08http/1.1", "http/1.1");
    assert_told(tls_own_outer(own), "\x02h2", "");
    assert_told(tls_own_outer(socks), "\x02h2\x08http/1.1", "");
    assert_told(tls_own_inside(own, false, NAME, NULL), "\x02h2\x08http/1.1", "");
    tls_own_free(own);
    tls_own_free(socks);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_are_no_good_are_refused_in_words),
        cmocka_unit_test(nobody_waits_for_a_fifo),
        cmocka_unit_test(key_is_for_its_owner_and_a_group_and_nobody_else),
        cmocka_unit_test(end_of_a_certificate_is_told_and_its_end_does_not_keep_it_out),
        cmocka_unit_test(tls_to_the_proxy_holds_the_floor),
        cmocka_unit_test(tls_to_the_proxy_takes_strong_suites_only),
        cmocka_unit_test(in_the_place_of_the_server_old_versions_are_for_old_clients_only),
        cmocka_unit_test(certificate_of_the_other_kind_is_no_common_suite),
        cmocka_unit_test(tickets_are_good_for_the_same_certificate_role_and_floor_alone),
        cmocka_unit_test(connection_outlives_the_certificate_that_it_began_with),
        cmocka_unit_test(http_proxy_says_that_it_speaks_http_1_1),
    };
    return cmocka_run_group_tests_name("tls_own", tests, setup, teardown);
}
