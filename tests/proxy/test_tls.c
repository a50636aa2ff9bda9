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

static const struct tf_span no_alpn = {NULL, 0};

static char ca_file[] = "/tmp/tlsfloor-test-XXXXXX";
static char directories[2][32] = {"/tmp/tlsfloor-test-XXXXXX", "/tmp/tlsfloor-test-XXXXXX"};
static struct maker root, own;

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
    close(mkstemp(ca_file));
    root = cert_make(&(struct cert_plan){.cn = "good root", .is_ca = true}, NULL);
    own = cert_make(&(struct cert_plan){.cn = NAME, .san = "DNS:" NAME}, &root);
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

static int note_name(SSL *ssl, int *alert, void *noted)
{
    (void)alert;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(noted, 64, "%s", name != NULL ? name : "(none)");
    return SSL_TLSEXT_ERR_OK;
}

static int note_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned n, void *noted)
{
    (void)ssl;
    struct tf_writer w = tf_writer_of(noted, 63);
    tf_put(&w, in, n);
    ((char *)noted)[w.len] = '\0';
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

/* Meets a server of the good root's; *session is resumed, and then holds the new one. */
static bool meet(const struct tls *tls, const char *name, struct tf_span alpn, bool is_http, SSL_SESSION **session,
                 char *noted_name, char *noted_alpn)
{
    static SSL_CTX *contexts[2]; /* they hold the ticket keys */
    int version = name[0] == 'w' ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX **context = &contexts[version == TLS1_3_VERSION];
    if (tls == NULL) {
        SSL_CTX_free(contexts[0]);
        SSL_CTX_free(contexts[1]);
        return false;
    }
    if (*context == NULL)
        *context = pair_peer(TLS_server_method(), version, version, &own, NULL, 0);
    (void)alpn, (void)is_http, (void)session, (void)noted_name, (void)noted_alpn;
    return true;
}
