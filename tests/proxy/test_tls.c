/* Sessions of both legs: names, ALPN, what is resumed and what is not, and what a reload keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tls_pair.h"
#include <limits.h>

#define NAME "www.good.test"

static char ca_file[] = "/tmp/tlsfloor-test-XXXXXX";
static char directories[2][32] = {"/tmp/tlsfloor-test-XXXXXX", "/tmp/tlsfloor-test-XXXXXX"};
static struct maker root, own, rsa;
static struct tickets *keys;

static struct tf_conf conf_of(const char *directory)
{
    struct tf_conf conf = pair_conf(ca_file);
    conf.ca.directory = directory;
    conf.ca.leaf_days = 7;
    return conf;
}

static int setup(void **state)
{
    (void)state;
    keys = pair_tickets("");
    close(mkstemp(ca_file));
    root = cert_make(&(struct cert_plan){.cn = "good root", .is_ca = true}, NULL);
    own = cert_make(&(struct cert_plan){.cn = NAME, .san = "DNS:" NAME}, &root);
    rsa = cert_make(&(struct cert_plan){.cn = NAME, .san = "DNS:" NAME, .rsa_bits = 2048}, &root);
    cert_write(ca_file, &root.certificate, 1, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        char error[CA_ERROR_MAX];
        if (mkdtemp(directories[i]) == NULL)
            return -1;
        struct tf_conf conf = conf_of(directories[i]);
        if (!ca_make(&conf, false, error, sizeof error))
            fail_msg("%s", error);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tickets_unref(keys);
    unlink(ca_file);
    for (size_t i = 0; i < 2; i++) {
        static const char *const names[] = {"ca.pem", "ca.key"};
        for (size_t n = 0; n < 2; n++) {
            char path[PATH_MAX];
            snprintf(path, sizeof path, "%s/%s", directories[i], names[n]);
            unlink(path);
        }
        rmdir(directories[i]);
    }
    cert_free(&own);
    cert_free(&rsa);
    cert_free(&root);
    return 0;
}

static struct ca *load_ca(const struct tf_conf *conf)
{
    char error[CA_ERROR_MAX] = "";
    struct ca *ca = ca_load(conf, NULL, error, sizeof error);
    if (ca == NULL)
        fail_msg("%s", error);
    return ca;
}

/* Everything for upgrades with the CA of one of the directories. */
static struct tls *tls_of(size_t directory, uint32_t client_sessions, const struct tls *old)
{
    struct tf_conf conf = conf_of(directories[directory]);
    conf.limits.client_sessions = client_sessions;
    return pair_tls(&conf, load_ca(&conf), old);
}

/* --- the outside leg --- */

/* A server of the good root's, which notes what it is asked for. */
struct origin {
    SSL_CTX *context;
    char name[64], alpn[64];
};

static int note_name(SSL *ssl, int *alert, void *arg)
{
    struct origin *o = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    snprintf(o->name, sizeof o->name, "%s", name != NULL ? name : "(none)");
    return SSL_TLSEXT_ERR_OK;
}

/* Takes the first. */
static int note_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned n, void *arg)
{
    struct origin *o = arg;
    (void)ssl;
    snprintf(o->alpn, sizeof o->alpn, "%.*s", (int)n, (const char *)in);
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static struct origin origin_of(const struct maker *maker, int version)
{
    struct origin o = {.context = pair_peer(TLS_server_method(), version, version, maker, NULL, 0)};
    SSL_CTX_set_session_id_context(o.context, (const unsigned char *)"o", 1);
    return o;
}

/* Meets the origin, and gives the session that can be resumed then. NULL: it failed. */
static SSL_SESSION *meet(struct origin *o, SSL *client, bool *resumed)
{
    SSL_CTX_set_tlsext_servername_callback(o->context, note_name);
    SSL_CTX_set_tlsext_servername_arg(o->context, o);
    SSL_CTX_set_alpn_select_cb(o->context, note_alpn, o);
    SSL *server = pair_server(o->context);
    SSL_SESSION *session = NULL;
    assert_non_null(client);
    if (pair_shake(client, server)) {
        pair_settle(client, server);
        *resumed = tls_leg(client).resumed;
        session = SSL_get1_session(client);
        SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
    return session;
}

static void ask(struct origin *o, const char *name, const char *alpn, size_t n, bool is_http)
{
    struct tf_conf conf = pair_conf(ca_file);
    struct tls *tls = pair_tls(&conf, NULL, NULL);
    bool resumed;
    o->name[0] = o->alpn[0] = '\0';
    SSL_SESSION_free(
        meet(o, tls_outside(tls, name, (struct tf_span){(const uint8_t *)alpn, n}, is_http, NULL), &resumed));
    tls_unref(tls);
}

static void server_is_asked_for_its_name(void **state)
{
    (void)state;
    struct origin o = origin_of(&own, TLS1_3_VERSION);
    ask(&o, NAME, "", 0, true);
    assert_string_equal(o.name, NAME);
    ask(&o, "127.0.0.1", "", 0, true);
    assert_string_equal(o.name, "(none)");
    SSL_CTX_free(o.context);
}

static void what_is_no_host_is_not_asked_for(void **state)
{
    (void)state;
    struct tf_conf conf = pair_conf(ca_file);
    struct tls *tls = pair_tls(&conf, NULL, NULL);
    /* OpenSSL would take the second for all names below it, and the first for any. */
    static const char *const names[] = {"", ".good.test", "a..b", "1.2.3.4.5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(tls_outside(tls, names[i], (struct tf_span){NULL, 0}, true, NULL));
    tls_unref(tls);
}

static void server_is_offered_what_the_client_offered_but_for_h2(void **state)
{
    (void)state;
    static const struct {
        const char *offered;
        size_t n;
        bool is_http;
        const char *asked;
    } rows[] = {
        {"\x02h2\x08http/1.1", 12, true, "\x08http/1.1"},
        {"\x08http/1.0\x02h2\x03pop", 16, true, "\x08http/1.0\x03pop"},
        {"\x02h2", 3, true, "\x08http/1.1"},
        {"\x02h2", 3, false, ""},
        {"", 0, true, "\x08http/1.1"},
        {"", 0, false, ""},
        {"\x04imap", 5, false, "\x04imap"},
        {"\x09imap", 5, false, ""},
        {"\x00\x04imap", 6, false, "\x04imap"},
    };
    struct origin o = origin_of(&own, TLS1_3_VERSION);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ask(&o, NAME, rows[i].offered, rows[i].n, rows[i].is_http);
        assert_string_equal(o.alpn, rows[i].asked);
    }
    SSL_CTX_free(o.context);
}

static void alpn_beyond_measure_is_cut_at_a_name(void **state)
{
    (void)state;
    char many[60000];
    for (size_t i = 0; i < sizeof many; i += 6)
        memcpy(many + i,
               "\x05"
               "spdy1",
               6);
    struct origin o = origin_of(&own, TLS1_3_VERSION);
    ask(&o, NAME, many, sizeof many, true);
    assert_memory_equal(o.alpn, many, 60);
    SSL_CTX_free(o.context);
}

static void session_with_a_server_is_resumed(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct tf_conf conf = pair_conf(ca_file);
    struct tls *tls = pair_tls(&conf, NULL, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct origin o = origin_of(&own, versions[i]);
        SSL_SESSION *session = NULL;
        for (int turn = 0; turn < 3; turn++) {
            bool resumed = false;
            SSL_SESSION *next =
                meet(&o, tls_outside(tls, NAME, (struct tf_span){NULL, 0}, true, session), &resumed);
            assert_non_null(next);
            assert_int_equal(resumed, turn > 0);
            SSL_SESSION_free(session);
            session = next;
        }
        SSL_SESSION_free(session);
        SSL_CTX_free(o.context);
    }
    tls_unref(tls);
}

static int count_hello(SSL *ssl, int *alert, void *arg)
{
    int *hellos = arg;
    (void)ssl, (void)alert;
    ++*hellos;
    return SSL_CLIENT_HELLO_SUCCESS;
}

/* How many hellos it takes when the server has taken `group` before. */
static int hellos_for(const struct tls *tls, const char *servers_groups, int group)
{
    struct origin o = origin_of(&own, TLS1_3_VERSION);
    int hellos = 0;
    bool resumed;
    assert_int_equal(SSL_CTX_set1_groups_list(o.context, servers_groups), 1);
    SSL_CTX_set_client_hello_cb(o.context, count_hello, &hellos);
    SSL *client = tls_outside(tls, NAME, (struct tf_span){NULL, 0}, true, NULL);
    tls_outside_lead(client, group);
    SSL_SESSION *session = meet(&o, client, &resumed);
    assert_non_null(session);
    SSL_SESSION_free(session);
    SSL_CTX_free(o.context);
    return hellos;
}

static void server_that_took_another_group_before_is_not_asked_twice(void **state)
{
    (void)state;
    struct tf_conf conf = pair_conf(ca_file);
    struct tls *tls = pair_tls(&conf, NULL, NULL);
    assert_int_equal(hellos_for(tls, "P-256", 0), 2);
    assert_int_equal(hellos_for(tls, "P-256", NID_X9_62_prime256v1), 1);
    assert_int_equal(hellos_for(tls, "P-384", NID_secp384r1), 1);
    assert_int_equal(hellos_for(tls, "X25519", NID_secp384r1), 2); /* it has changed its mind */
    assert_int_equal(hellos_for(tls, "X25519", NID_X25519), 1);
    tls_unref(tls);
}

/* Such a session is made by a client that verifies nothing. */
static void session_does_not_outlive_its_certificate(void **state)
{
    (void)state;
    struct cert_plan plan = {.cn = NAME, .san = "DNS:" NAME, .from_s = -200, .to_s = -100};
    struct maker old = cert_make(&plan, &root);
    struct tf_conf conf = pair_conf(ca_file);
    struct tls *tls = pair_tls(&conf, NULL, NULL);
    struct origin o = origin_of(&old, TLS1_2_VERSION);
    SSL_CTX *credulous = pair_peer(TLS_client_method(), TLS1_2_VERSION, TLS1_2_VERSION, NULL, NULL, 0);
    bool resumed = false;
    SSL_SESSION *session = meet(&o, pair_client(credulous, NAME), &resumed);
    assert_non_null(session);
    /* The server has the old certificate still: it is verified, and refused. */
    assert_null(meet(&o, tls_outside(tls, NAME, (struct tf_span){NULL, 0}, true, session), &resumed));
    /* It has a new one: a full handshake. */
    assert_int_equal(SSL_CTX_use_cert_and_key(o.context, own.certificate, own.key, NULL, 1), 1);
    SSL_SESSION *next = meet(&o, tls_outside(tls, NAME, (struct tf_span){NULL, 0}, true, session), &resumed);
    assert_non_null(next);
    assert_false(resumed);
    SSL_SESSION_free(next);
    SSL_SESSION_free(session);
    SSL_CTX_free(credulous);
    SSL_CTX_free(o.context);
    tls_unref(tls);
    cert_free(&old);
}

/* --- the inside leg --- */

/* A client of TLS 1.0 that meets the gateway under a name, with tickets or by session ID. `session`, where
 * not NULL, is resumed, and holds the new one then. */
static bool is_resumed(const struct tls *tls, const char *name, bool tickets, SSL_SESSION **session)
{
    struct leaf leaf = {.certificate = own.certificate, .key = own.key};
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_VERSION, TLS1_VERSION, NULL, NULL, 0);
    if (!tickets)
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL *client = pair_client(context, NULL);
    SSL *server = tls_inside(tls, &leaf, true, name, NULL);
    assert_non_null(server);
    tickets_attach(server, keys);
    if (*session != NULL)
        assert_int_equal(SSL_set_session(client, *session), 1);
    assert_true(pair_shake(server, client));
    bool resumed = tls_leg(server).resumed;
    assert_int_equal(resumed, SSL_session_reused(client));
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client);
    assert_int_equal(SSL_SESSION_has_ticket(*session), tickets);
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return resumed;
}

static void client_resumes_by_ticket_and_by_id_but_not_under_another_name(void **state)
{
    (void)state;
    struct tls *tls = tls_of(0, 100, NULL);
    for (int tickets = 0; tickets < 2; tickets++) {
        SSL_SESSION *session = NULL;
        assert_false(is_resumed(tls, NAME, tickets == 1, &session));
        for (int turn = 0; turn < 2; turn++)
            assert_true(is_resumed(tls, NAME, tickets == 1, &session));
        assert_false(is_resumed(tls, "other.good.test", tickets == 1, &session));
        assert_true(is_resumed(tls, "other.good.test", tickets == 1, &session));
        SSL_SESSION_free(session);
    }
    tls_unref(tls);
}

static void without_room_for_ids_clients_resume_by_ticket(void **state)
{
    (void)state;
    struct tls *tls = tls_of(0, 0, NULL);
    SSL_SESSION *by_id = NULL, *by_ticket = NULL;
    for (int turn = 0; turn < 2; turn++) {
        assert_false(is_resumed(tls, NAME, false, &by_id));
        assert_int_equal(is_resumed(tls, NAME, true, &by_ticket), turn > 0);
    }
    SSL_SESSION_free(by_id);
    SSL_SESSION_free(by_ticket);
    tls_unref(tls);
}

static void reload_keeps_sessions_of_clients_as_long_as_the_ca_is_the_same(void **state)
{
    (void)state;
    for (int tickets = 0; tickets < 2; tickets++) {
        SSL_SESSION *session = NULL;
        struct tls *first = tls_of(0, 100, NULL);
        assert_false(is_resumed(first, NAME, tickets == 1, &session));
        struct tls *second = tls_of(0, 100, first);
        tls_unref(first);
        assert_true(is_resumed(second, NAME, tickets == 1, &session));
        struct tls *third = tls_of(1, 100, second);
        tls_unref(second);
        assert_false(is_resumed(third, NAME, tickets == 1, &session));
        tls_unref(third);
        SSL_SESSION_free(session);
    }
}

static void version_and_suite_of_a_leg_are_told(void **state)
{
    (void)state;
    struct tls *tls = tls_of(0, 100, NULL);
    struct leaf leaf = {.certificate = own.certificate, .key = own.key};
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_1_VERSION, TLS1_1_VERSION, NULL, NULL, 0);
    SSL *client = pair_client(context, NULL), *server = tls_inside(tls, &leaf, true, NAME, NULL);
    assert_true(pair_shake(server, client));
    struct tf_leg leg = tls_leg(server);
    assert_int_equal(leg.version, TF_TLS11);
    assert_int_equal(leg.cipher, 0xc009);
    assert_false(leg.resumed);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    tls_unref(tls);
}

static bool can_agree(const struct tls *tls, bool is_legacy, int highest, const char *ciphers)
{
    struct leaf leaf = {.certificate = rsa.certificate, .key = rsa.key};
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_VERSION, highest, NULL, NULL, 0);
    assert_int_equal(SSL_CTX_set_cipher_list(context, ciphers), 1);
    SSL *client = pair_client(context, NULL), *server = tls_inside(tls, &leaf, is_legacy, NAME, NULL);
    bool agreed = pair_shake(server, client);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return agreed;
}

/* They may be as poor in suites as those who are not: it is the version that makes them healthy. */
static void healthy_client_that_is_terminated_gets_1_2_at_least_and_the_suites_of_all(void **state)
{
    (void)state;
    struct tls *tls = tls_of(0, 100, NULL);
    assert_true(can_agree(tls, true, TLS1_1_VERSION, "AES128-SHA"));
    assert_false(can_agree(tls, false, TLS1_1_VERSION, "AES128-SHA"));
    assert_true(can_agree(tls, false, TLS1_2_VERSION, "AES128-SHA"));
    assert_true(can_agree(tls, false, TLS1_3_VERSION, "AES128-SHA"));
    tls_unref(tls);
}

/* --- both --- */

/* What a client with this offer is told when the server has agreed on http/1.1, or on nothing. */
static void assert_client_is_told(const struct tls *tls, const char *offered, bool is_agreed,
                                  const char *told)
{
    struct leaf leaf = {.certificate = own.certificate, .key = own.key};
    struct origin o = origin_of(&own, TLS1_2_VERSION);
    if (is_agreed)
        SSL_CTX_set_alpn_select_cb(o.context, note_alpn, &o);
    SSL_CTX *context = pair_peer(TLS_client_method(), TLS1_VERSION, TLS1_VERSION, NULL, NULL, 0);
    SSL *origin = pair_server(o.context);
    SSL *outside = tls_outside(tls, NAME, (struct tf_span){NULL, 0}, true, NULL);
    assert_true(pair_shake(outside, origin));
    SSL *client = pair_client(context, NULL), *inside = tls_inside(tls, &leaf, true, NAME, outside);
    if (offered[0] != '\0')
        assert_int_equal(
            SSL_set_alpn_protos(client, (const unsigned char *)offered, (unsigned)strlen(offered)), 0);
    assert_true(pair_shake(inside, client));
    const unsigned char *got;
    unsigned n;
    SSL_get0_alpn_selected(client, &got, &n);
    assert_int_equal(n, strlen(told));
    assert_memory_equal(got, told, n);
    SSL_free(client);
    SSL_free(inside);
    SSL_free(outside);
    SSL_free(origin);
    SSL_CTX_free(context);
    SSL_CTX_free(o.context);
}

static void client_is_told_what_the_server_has_agreed_on(void **state)
{
    (void)state;
    struct tls *tls = tls_of(0, 100, NULL);
    assert_client_is_told(tls, "\x02h2\x08http/1.1", true, "http/1.1");
    assert_client_is_told(tls, "\x02h2\x06spdy/1", true, "");
    assert_client_is_told(tls, "\x08http/1.1", false, "");
    assert_client_is_told(tls, "", true, "");
    tls_unref(tls);
}

static void failure_leaves_the_ca_to_the_caller(void **state)
{
    (void)state;
    struct tf_conf conf = conf_of(directories[0]);
    char error[512] = "";
    conf.upstream.ca_file = "/nowhere/at/all.pem";
    struct ca *ca = load_ca(&conf);
    assert_null(tls_new(&conf, ca, NULL, error, sizeof error));
    assert_non_null(strstr(error, "[upstream] ca_file: /nowhere/at/all.pem: No such file or directory"));
    ca_unref(ca);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_is_asked_for_its_name),
        cmocka_unit_test(what_is_no_host_is_not_asked_for),
        cmocka_unit_test(server_is_offered_what_the_client_offered_but_for_h2),
        cmocka_unit_test(alpn_beyond_measure_is_cut_at_a_name),
        cmocka_unit_test(session_with_a_server_is_resumed),
        cmocka_unit_test(server_that_took_another_group_before_is_not_asked_twice),
        cmocka_unit_test(session_does_not_outlive_its_certificate),
        cmocka_unit_test(client_resumes_by_ticket_and_by_id_but_not_under_another_name),
        cmocka_unit_test(without_room_for_ids_clients_resume_by_ticket),
        cmocka_unit_test(reload_keeps_sessions_of_clients_as_long_as_the_ca_is_the_same),
        cmocka_unit_test(version_and_suite_of_a_leg_are_told),
        cmocka_unit_test(healthy_client_that_is_terminated_gets_1_2_at_least_and_the_suites_of_all),
        cmocka_unit_test(client_is_told_what_the_server_has_agreed_on),
        cmocka_unit_test(failure_leaves_the_ca_to_the_caller),
    };
    return cmocka_run_group_tests_name("tls", tests, setup, teardown);
}
