/* A front: the dialogue in which a client says where it wants to go, as a
 * pure function of bytes. A front is one const struct, one file, one test,
 * and one row in the table of routes (`proxy/routes.c`). */
#ifndef TF_FRONT_H
#define TF_FRONT_H

#include "facts.h"
#include "tenants.h"

enum tf_side { TF_CLIENT, TF_SERVER };

/* What a client logs in with. Wiped by whoever owns it as soon as it has been checked; never logged. */
struct tf_login {
    char user[TF_USER_MAX]; /* both NUL-terminated */
    char password[TF_USER_MAX];
};

enum tf_feed {
    TF_FEED_MORE,   /* feed again when more bytes are there, or the writers have been emptied */
    TF_FEED_TARGET, /* facts->target and facts->ask are set; the session checks, dials, then calls answer */
    TF_FEED_AGAIN,  /* this exchange is over; both sides may serve another: feed the client's bytes anew */
    TF_FEED_CLOSE,  /* this exchange is over: flush what was written to the client, and close */
    TF_FEED_SWITCH, /* nothing that follows is the front's business: flush, and let the bytes pass */
    TF_FEED_BAD,    /* facts->reason (and detail) say why; flush, and refuse with it */
    TF_FEED_LOGIN,  /* io->login is filled: the session checks it, and calls front->logged_in */
    /* Mail: the server's next bytes are TLS; when it stands, and has verified, the session calls
     * front->secured. */
    TF_FEED_TLS_SERVER,
    /* Mail: flush; the client's next bytes are its ClientHello. What it sent before that is injected. Whether
     * its TLS ends here or at the server is the session's business; if here, front->secured is called. */
    TF_FEED_TLS_CLIENT
};

/* How a mail front is to go about it. */
enum tf_mail_way {
    /* Both sides' own words pass, until the server has agreed to STARTTLS: TF_FEED_TLS_CLIENT. Who goes on in
     * plain text is TF_FEED_BAD with TF_REASON_MAIL_CLEARTEXT. What leads to TF_FEED_BAD is not consumed: the
     * session may let it pass. */
    TF_MAIL_FOLLOW,
    /* The gateway is the client's server and the server's client: TF_FEED_TLS_SERVER comes before anything
     * that matters, and each side sees what holds on its leg. */
    TF_MAIL_UPGRADE,
    /* The client has done its STARTTLS with us, and is at the floor: a new connection to the server is
     * brought to the same point, TF_FEED_TLS_SERVER, and the client's own hello goes there. Nothing is for
     * the client.
     */
    TF_MAIL_REPEAT
};

struct tf_mail_plan {
    enum tf_mail_way way;
    enum tf_client_tls client_tls; /* UPGRADE: what the client is offered; IMPLICIT: its hello has come */
    bool is_server_tls;            /* the server speaks TLS at once */
    bool is_opportunistic;         /* a server without STARTTLS is spoken to in plain text, without logins */
    bool is_bridge;                /* logins are TF_FEED_LOGIN, and the server gets OAuth */
    size_t line_max;               /* bytes of a line, with its end */
    const char *name;              /* what the gateway calls itself */
};

/* One call's bytes. The front sets `used` to what it consumed of `in`; the
 * caller keeps the rest and shows it again. Output goes to the writers,
 * whose room is the caller's bound: a front consumes no more than it could
 * write. `eof`: this side has sent its last byte (`in` holds the rest). */
struct tf_feed_io {
    struct tf_span in;
    bool eof;
    size_t used;
    struct tf_writer *to_client;
    struct tf_writer *to_server;
    const struct tf_policy *policy;   /* which other hosts are upgraded */
    const struct tf_tenants *tenants; /* the fields that some requests get; NULL: none */
    const struct tf_target *upstream; /* of a `forward` listener: where all of its clients go; or that the
                                       * client's TLS is meant for, which ends here; else NULL */
    bool is_within;                   /* the latter: what it says, it says within TLS */
    const char *parent_login; /* plain HTTP that goes to a parent proxy: "" or base64 of USER:PASSWORD;
                               * NULL: it goes to its server */
    bool wants_login;         /* nobody passes without one: TF_FEED_LOGIN */
    struct tf_login *login;   /* with TF_FEED_LOGIN */
};

struct tf_front {
    const char *name;
    size_t state_size; /* the session keeps so many bytes, zeroed at first, suitably aligned */
    /* Bytes from one side. */
    enum tf_feed (*feed)(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts);
    /* The destination is connected: say so to the client, or begin with the server. */
    void (*answer)(void *state, struct tf_feed_io *io, struct tf_facts *facts);
    /* Mail, in place of answer: the server is connected, and the dialogue begins; once more, with
     * TF_MAIL_REPEAT, over another connection, when the client's TLS is not to end here. */
    enum tf_feed (*begin)(void *state, const struct tf_mail_plan *plan, struct tf_feed_io *io,
                          struct tf_facts *facts);
    /* Mail: TLS stands on a side; io->in is empty. */
    enum tf_feed (*secured)(void *state, enum tf_side side, struct tf_feed_io *io, struct tf_facts *facts);
    /* What became of TF_FEED_LOGIN. `token`, with `ok` and a bridge: the OAuth access token, NUL-terminated,
     * during the call only. */
    enum tf_feed (*logged_in)(void *state, bool ok, const char *token, struct tf_feed_io *io,
                              struct tf_facts *facts);
    /* A refusal for facts->reason, in this protocol's tongue. `state` may be NULL. Writes nothing
     * when the protocol has no words for it; then the connection is just closed. */
    void (*refuse)(void *state, struct tf_writer *to_client, const struct tf_facts *facts);
};

extern const struct tf_front tf_front_http;   /* front_http.c: CONNECT and absolute-form requests */
extern const struct tf_front tf_front_tls;    /* front_tls.c: no dialogue; refuses with alerts */
extern const struct tf_front tf_front_socks5; /* front_socks5.c: RFC 1928, RFC 1929 */
extern const struct tf_front tf_front_smtp;   /* front_smtp.c */
extern const struct tf_front tf_front_imap;   /* front_imap.c */
extern const struct tf_front tf_front_pop3;   /* front_pop3.c */

#endif
