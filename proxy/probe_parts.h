/* What the parts of the probe share: the run, which is the same for all
 * connections, and the result, plain data for the report. For probe*.c only.
 *
 * Connections are made one after the other. Which versions and suites a
 * server takes is found out with hellos of our own bytes (probe_hello.c),
 * which end with the server's answer: so it does not matter what OpenSSL
 * knows here. The rest takes whole sessions (probe_session.c). */
#ifndef PROBE_PARTS_H
#define PROBE_PARTS_H

#include "fetch.h"

/* What comes before TLS. */
enum probe_starttls { PROBE_AT_ONCE, PROBE_SMTP, PROBE_IMAP, PROBE_POP3 };

enum {
    PROBE_VERSIONS = 5,
    PROBE_SUITES_MAX = 128,
    PROBE_GROUPS_MAX = 8,
    PROBE_CHAIN_MAX = 10,
    PROBE_REPORT_MAX = 256 << 10, /* every text of a result is bounded, and together they are shorter */
    PROBE_KEY_MAX = 32,
    PROBE_TEXT_MAX = 512, /* of a sentence */
    PROBE_NAME_MAX = 256  /* of a certificate's subject */
};

/* A run. */
struct probe {
    const struct tf_conf *conf;
    struct tls *tls;
    SSL_CTX *lenient; /* takes whatever OpenSSL can do, and verifies nothing */
    struct tf_target asked;
    struct tf_target target; /* as asked; after the first connection the address that it went to: a name may
                                have several servers, and they may differ */
    bool is_reached;
    enum probe_starttls starttls;
    bool is_http;        /* the outside leg may offer http/1.1 by ALPN */
    uint32_t timeout_ms; /* for each connection */
    uint64_t end_ms;     /* of the run, on the clock of fetch.h */
};

enum probe_outcome {
    PROBE_TAKEN,
    PROBE_REFUSED,    /* by an alert, a close, or another version */
    PROBE_SILENT,     /* no answer in time */
    PROBE_STRANGE,    /* an answer that is not TLS, or broken */
    PROBE_UNREACHABLE /* no connection, or none on which TLS could begin */
};

/* The answer to one hello. */
struct probe_answer {
    enum probe_outcome outcome;
    uint16_t suite;           /* with PROBE_TAKEN */
    char why[PROBE_TEXT_MAX]; /* else */
};

/* What is known of one version. */
struct probe_version {
    uint16_t version;
    enum probe_outcome outcome;
    char why[PROBE_TEXT_MAX]; /* where it is not taken */
    uint16_t suites[PROBE_SUITES_MAX];
    size_t suite_count;
    bool is_whole;    /* the server itself ended the list of suites */
    bool has_order;   /* it picks by an order of its own */
    bool has_session; /* OpenSSL could set a session up, and what follows is known */
    char no_session[PROBE_TEXT_MAX];
    char key[PROBE_KEY_MAX];
    const char *groups[PROBE_GROUPS_MAX];
    size_t group_count;
    bool resumes_ticket, resumes_id;
    bool renegotiates_securely; /* up to TLS 1.2 */
};

struct probe_certificate {
    char subject[PROBE_NAME_MAX], issuer[PROBE_NAME_MAX]; /* printable ASCII */
    char first_day[16], last_day[16];
    int days_left; /* negative: so many days ago */
    char key[PROBE_KEY_MAX];
    char signature[64];
};

struct probe_result {
    char address[TF_ADDR_TEXT_MAX];                /* what all connections went to; "": nothing was reached */
    struct probe_version versions[PROBE_VERSIONS]; /* the highest first */
    const struct probe_version *best;              /* the highest that is taken, or NULL */
    const struct probe_version *worst;             /* the lowest, likewise */
    bool alpn_h2, alpn_http11;
    struct probe_certificate chain[PROBE_CHAIN_MAX];
    size_t chain_count;
    bool verifies;                   /* as the outside leg wants it, whether or not that gets so far */
    char verify_why[PROBE_TEXT_MAX]; /* else */
    enum tf_reason outside;          /* TF_REASON_NONE: the outside leg gets through, as `leg` says */
    char outside_why[PROBE_TEXT_MAX];
    struct tf_leg leg;
};

/* probe_starttls.c */

/* A connection on which TLS can begin, as fetch_connect; *deadline_ms is set to that of the connection. -1
 * with a sentence in error[0..PROBE_TEXT_MAX). */
int probe_connect(struct probe *p, uint64_t *deadline_ms, char *error);
const char *probe_starttls_name(enum probe_starttls s); /* `smtp`; "" for PROBE_AT_ONCE */

/* probe_hello.c */

/* Says hello with one version and these suites, and hears what the server picks. */
void probe_hello(struct probe *p, uint16_t version, const uint16_t *suites, size_t n,
                 struct probe_answer *answer);

/* probe_suites.c */

/* Begins *v, with all that hellos tell of a version. */
void probe_suites(struct probe *p, uint16_t version, struct probe_version *v);

/* probe_session.c */

SSL_CTX *probe_context(void); /* for struct probe; NULL: out of memory */
/* Fills what a session tells of a version that is taken. */
void probe_sessions(struct probe *p, struct probe_version *v);
/* Fills the chain and ALPN, as r->best has them. */
void probe_best(struct probe *p, struct probe_result *r);
/* Tries the gateway's own outside leg. */
void probe_outside(struct probe *p, struct probe_result *r);

/* probe_chain.c */

/* Fills r->chain, and judges it. */
void probe_chain(const struct probe *p, SSL *ssl, struct probe_result *r);
/* `RSA 2048`; the key may be NULL. */
void probe_key_text(EVP_PKEY *key, char out[PROBE_KEY_MAX]);

/* probe_verdict.c */

/* Whether there is something that somebody must see to. */
bool probe_is_finding(const struct probe *p, const struct probe_result *r);
void probe_put_asked(struct tf_writer *w, const struct probe *p); /* `host:port` */
void probe_put_verdict(struct tf_writer *w, const struct probe *p, const struct probe_result *r);
/* Whether the outside leg gets through, and how. */
void probe_put_outside(struct tf_writer *w, const struct probe *p, const struct probe_result *r);

/* probe_text.c, probe_json.c: the whole report, PROBE_REPORT_MAX at most */
void probe_put_text(struct tf_writer *w, const struct probe *p, const struct probe_result *r);
void probe_put_json(struct tf_writer *w, const struct probe *p, const struct probe_result *r);

#endif
