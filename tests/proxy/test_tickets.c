/* Keys of session tickets: where they come from, for how long ours are good, and what clients of each version
 * can do with tickets of one gateway at another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../proxy/tickets.h"
#include "../../proxy/tls_context.h"
#include "own_directory.h"
#include "tls_pair.h"
#include <pthread.h>
#include <sys/stat.h>

enum { LIFE = TICKET_LIFE_S };

static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

/* --- our own --- */

static void own_key_encrypts_for_the_life_of_a_ticket_and_decrypts_for_another(void **state)
{
    (void)state;
    struct tickets *t = pair_tickets("");
    struct tf_ticket_key first, second, found;
    bool is_newest;
    assert_true(tickets_newest(t, 1000, &first));
    assert_true(tickets_newest(t, 1000 + LIFE - 1, &found));
    assert_memory_equal(&found, &first, sizeof first);
    assert_true(tickets_find(t, 1000 + LIFE - 1, first.name, &found, &is_newest));
    assert_true(is_newest);

    assert_true(tickets_newest(t, 1000 + LIFE, &second));
    assert_memory_not_equal(second.name, first.name, sizeof first.name);
    assert_memory_not_equal(second.mac, first.mac, sizeof first.mac);
    assert_memory_not_equal(second.cipher, first.cipher, sizeof first.cipher);
    assert_true(tickets_find(t, 1000 + 2 * LIFE - 1, first.name, &found, &is_newest));
    assert_memory_equal(&found, &first, sizeof first);
    assert_false(is_newest);
    assert_int_equal(tickets_unknown(t), 0);

    assert_false(tickets_find(t, 1000 + 2 * LIFE, first.name, &found, &is_newest));
    assert_int_equal(tickets_unknown(t), 1);
    assert_true(tickets_find(t, 1000 + 2 * LIFE, second.name, &found, &is_newest));
    assert_false(is_newest); /* a third one has come into use */
    assert_false(tickets_find(t, 1000 + 9 * LIFE, second.name, &found, &is_newest));
    assert_int_equal(tickets_unknown(t), 2);
    tickets_unref(t);
}

static void *turn_keys(void *arg)
{
    struct tickets *t = arg;
    for (int64_t now_s = 0; now_s < 50 * LIFE; now_s += LIFE / 4) {
        struct tf_ticket_key key, found;
        bool is_newest;
        if (tickets_newest(t, now_s, &key))
            tickets_find(t, now_s, key.name, &found, &is_newest);
    }
    return NULL;
}

static void loops_share_keys(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct tickets *t = pair_tickets("");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, turn_keys, t), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct tf_ticket_key key;
    assert_true(tickets_newest(t, 50 * LIFE, &key));
    tickets_unref(t);
}

/* --- those of a file --- */

/* Keys of these seeds, a line each. */
static void write_keys(const char *file, const unsigned *seeds, size_t n)
{
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    for (size_t i = 0; i < n; i++) {
        for (unsigned byte = 0; byte < 80; byte++)
            fprintf(f, "%02x", (seeds[i] + byte * 3) & 0xff);
        fputc('\n', f);
    }
    fclose(f);
    assert_int_equal(chmod(file, 0600), 0);
}

static struct tickets *keys_of(const unsigned *seeds, size_t n)
{
    write_keys("keys", seeds, n);
    return pair_tickets("keys");
}

static void first_key_of_a_file_encrypts_and_all_decrypt_at_any_time(void **state)
{
    (void)state;
    struct tickets *t = keys_of((const unsigned[]){1, 2, 3}, 3);
    struct tf_ticket_key key;
    bool is_newest;
    uint8_t name[TF_TICKET_NAME_SIZE];
    for (int64_t now_s = 0; now_s < 5 * LIFE; now_s += LIFE) {
        assert_true(tickets_newest(t, now_s, &key));
        assert_int_equal(key.name[0], 1);
        for (uint8_t seed = 1; seed <= 3; seed++) {
            for (unsigned i = 0; i < sizeof name; i++)
                name[i] = (uint8_t)(seed + i * 3);
            assert_true(tickets_find(t, now_s, name, &key, &is_newest));
            assert_int_equal(key.mac[0], seed + 48);
            assert_int_equal(is_newest, seed == 1);
        }
    }
    name[0]++;
    assert_false(tickets_find(t, 0, name, &key, &is_newest));
    assert_int_equal(tickets_unknown(t), 1);
    tickets_unref(t);
}

static void assert_refused(const char *sentence)
{
    char error[512] = "";
    assert_null(tickets_new("keys", error, sizeof error));
    assert_string_equal(error, sentence);
}

static void file_that_is_no_good_is_refused_with_its_line_and_nothing_that_it_holds(void **state)
{
    (void)state;
    assert_refused("[gateway] ticket_keys_file: keys: is not there; make it, with mode 0600: tlsfloor.ini(5) "
                   "says what is in it");
    write_keys("keys", (const unsigned[]){1, 2}, 2);
    assert_int_equal(truncate("keys", 300), 0);
    assert_refused("[gateway] ticket_keys_file: keys:2: this is no key of 80 bytes, in hexadecimal or in one "
                   "line of base64; make one with: openssl rand -hex 80");
    assert_int_equal(truncate("keys", 0), 0);
    assert_refused("[gateway] ticket_keys_file: keys: there is no key in it; make one with: openssl rand "
                   "-hex 80");
    write_keys("keys", (const unsigned[]){1}, 1);
    assert_int_equal(chmod("keys", 0644), 0);
    assert_refused("[gateway] ticket_keys_file: keys: holds secrets and is open to other users (mode 0644): "
                   "chmod 600 keys");
}

/* --- clients --- */

/* A gateway in this process. */
struct replica {
    SSL_CTX *context;
    struct tickets *keys;
};

static struct maker leaf;

static struct replica replica_of(struct tickets *keys)
{
    struct replica r = {tls_context_inside(0), keys};
    assert_int_equal(SSL_CTX_use_cert_and_key(r.context, leaf.certificate, leaf.key, NULL, 1), 1);
    return r;
}

static void replica_end(struct replica *r)
{
    SSL_CTX_free(r->context);
    tickets_unref(r->keys);
}

/* A client meets a replica, and offers *session where it is not NULL; it is the new one then. Whether it
 * resumed. */
static bool meet(const struct replica *r, int version, SSL_SESSION **session)
{
    static const uint8_t ca[TLS_ID_SIZE];
    struct tls_scope scope = tls_scope_of("inside", ca, "a.test");
    SSL_CTX *context = pair_peer(TLS_client_method(), version, version, NULL, NULL, 0);
    SSL *client = pair_client(context, NULL), *server = tls_inside_from(r->context, true, &scope, NULL);
    tickets_attach(server, r->keys);
    if (*session != NULL)
        assert_int_equal(SSL_set_session(client, *session), 1);
    assert_true(pair_shake(server, client));
    pair_settle(client, server);
    bool resumed = tls_leg(server).resumed;
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(client);
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    return resumed;
}

/* Of the key that a ticket is made with. */
static unsigned seed_of(const SSL_SESSION *session)
{
    const unsigned char *ticket;
    size_t n;
    SSL_SESSION_get0_ticket(session, &ticket, &n);
    assert_true(n > TF_TICKET_NAME_SIZE);
    return ticket[0];
}

static void client_of_one_gateway_resumes_at_another_with_the_same_keys(void **state)
{
    (void)state;
    struct replica a = replica_of(keys_of((const unsigned[]){1}, 1)),
                   b = replica_of(keys_of((const unsigned[]){1}, 1)),
                   stranger = replica_of(keys_of((const unsigned[]){2}, 1));
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        SSL_SESSION *session = NULL;
        assert_false(meet(&a, versions[i], &session));
        assert_true(meet(&b, versions[i], &session));
        assert_true(meet(&a, versions[i], &session));
        assert_false(meet(&stranger, versions[i], &session));
        assert_int_equal(tickets_unknown(stranger.keys), i + 1);
        SSL_SESSION_free(session);
    }
    assert_int_equal(tickets_unknown(a.keys) + tickets_unknown(b.keys), 0);
    replica_end(&a);
    replica_end(&b);
    replica_end(&stranger);
}

static void ticket_of_an_older_key_is_taken_and_renewed(void **state)
{
    (void)state;
    struct replica before = replica_of(keys_of((const unsigned[]){1}, 1)),
                   after = replica_of(keys_of((const unsigned[]){2, 1}, 2));
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        SSL_SESSION *session = NULL;
        meet(&before, versions[i], &session);
        assert_int_equal(seed_of(session), 1);
        assert_true(meet(&after, versions[i], &session));
        assert_int_equal(seed_of(session), 2);
        SSL_SESSION_free(session);
    }
    replica_end(&before);
    replica_end(&after);
}

static void without_keys_clients_are_served_and_get_no_ticket(void **state)
{
    (void)state;
    struct replica none = replica_of(NULL), some = replica_of(pair_tickets(""));
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        SSL_SESSION *session = NULL;
        assert_false(meet(&none, versions[i], &session));
        assert_false(SSL_SESSION_has_ticket(session));
        SSL_SESSION_free(session);
        session = NULL;
        meet(&some, versions[i], &session);
        assert_true(SSL_SESSION_has_ticket(session));
        assert_false(meet(&none, versions[i], &session));
        SSL_SESSION_free(session);
    }
    assert_int_equal(ERR_peek_error(), 0);
    replica_end(&none);
    replica_end(&some);
}

static int setup(void **state)
{
    (void)state;
    leaf = cert_make(&(struct cert_plan){.cn = "a.test", .san = "DNS:a.test"}, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cert_free(&leaf);
    return 0;
}

#define TEST(name)    cmocka_unit_test(name)
#define IN_HOME(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(own_key_encrypts_for_the_life_of_a_ticket_and_decrypts_for_another),
        TEST(loops_share_keys),
        IN_HOME(first_key_of_a_file_encrypts_and_all_decrypt_at_any_time),
        IN_HOME(file_that_is_no_good_is_refused_with_its_line_and_nothing_that_it_holds),
        IN_HOME(client_of_one_gateway_resumes_at_another_with_the_same_keys),
        IN_HOME(ticket_of_an_older_key_is_taken_and_renewed),
        TEST(without_keys_clients_are_served_and_get_no_ticket),
    };
    return cmocka_run_group_tests_name("tickets", tests, setup, teardown);
}
