/* What is known of a session. Fronts and parsers fill it, policy reads it,
 * the record prints it. Plain data: it owns nothing, and what it points to
 * (configuration, hello bytes) is kept alive by the session. */
#ifndef TF_FACTS_H
#define TF_FACTS_H

#include "client.h"
#include "hello.h"
#include "host.h"
#include "mail.h"
#include "reasons.h"

enum tf_verdict {
    TF_VERDICT_NONE,    /* not decided yet */
    TF_VERDICT_TUNNEL,  /* bytes pass untouched */
    TF_VERDICT_MONITOR, /* the same, but it would have been blocked for `reason` */
    TF_VERDICT_BLOCK,
    TF_VERDICT_UPGRADE /* terminated inside, verified TLS outside */
};

/* What the client asked the front for. */
enum tf_ask {
    TF_ASK_TUNNEL, /* bytes both ways, TLS inside: CONNECT, SNI */
    TF_ASK_HTTP,   /* one plain HTTP exchange */
    TF_ASK_MAIL    /* a mail dialogue that is in plain text so far */
};

struct tf_rule;
struct tf_page;
struct tf_policy;
struct tf_m365_set;

/* What was agreed on one leg of an upgraded session. */
struct tf_leg {
    uint16_t version; /* 0: plain text */
    uint16_t cipher;
    bool resumed;
};

#define TF_USER_AGENT_MAX 256
#define TF_GREETING_MAX   64
#define TF_USER_MAX       256 /* of a user's name or password, with the NUL */

struct tf_facts {
    /* who */
    struct tf_addr source;
    struct tf_addr via;        /* who has said so in a PROXY protocol header; family TF_FAMILY_NONE: nobody */
    char user[TF_USER_MAX];    /* who has logged in, or has tried to; peer bytes; "" */
    char mailbox[TF_USER_MAX]; /* bridge: whose mailbox that user stands for; of the users file; "" */
    unsigned failed_logins;    /* so often with a wrong name or password */
    bool is_login_wrong;       /* also the last time: nobody has logged in since */
    const char *listener;      /* its name in the configuration */
    char user_agent[TF_USER_AGENT_MAX]; /* where the front saw one, cut to fit; peer bytes; NUL-terminated */
    char greeting[TF_GREETING_MAX];     /* what it calls itself in EHLO or HELO, cut to fit; peer bytes; "" */
    struct tf_client client;            /* what software that is; known when the session is logged */
    bool is_fallback; /* and whether its hello below the floor is a stray one, of a client that also
                       * does better */
    /* where to */
    enum tf_ask ask;
    bool has_target;
    struct tf_target target;
    struct tf_addr destination; /* the address that is dialled; family TF_FAMILY_NONE until known */
    char name[TF_HOST_MAX];     /* where the target is an address: the name in the hello, or that the listener
                                 * gives, which rules go by; or "" */
    const struct tf_m365_set *m365; /* the endpoint set that it belongs to, or NULL */
    bool is_fixed;                  /* the target is the listener's, whatever the client calls it */
    bool must_terminate;            /* also a healthy client's TLS ends here: the listener says so */
    bool has_certificate;           /* the listener has one of its own for clients whose TLS ends here */
    bool by_parent;    /* the parent proxy looks the target's name up: its address is never known */
    enum tf_mail mail; /* the mail protocol that is spoken around TLS */
    /* what they say */
    bool has_hello;
    struct tf_hello hello;
    bool not_tls;         /* the client's first bytes, or the server speaking first, are not TLS */
    bool looks_like_http; /* and the client's are an HTTP request: it is told with a page, not an alert */
    bool has_server_hello;
    struct tf_server_hello server;
    struct tf_leg inside, outside; /* of an upgraded session, once both are known */
    bool is_plain_outside;         /* mail has gone on without TLS towards the server, which has none */
    bool is_token_refused; /* the server has not taken the bridge's OAuth token; until the session knows */
    const struct tf_mail_answer *answer; /* the last of the server's that puzzles people, or NULL */
    /* what became of it */
    enum tf_verdict verdict;
    enum tf_reason reason;
    const char *detail;         /* a fixed sentence that says more than the reason does, or NULL */
    const struct tf_rule *rule; /* the one that matched, or NULL */
    const struct tf_page *page; /* what a person is told besides, as the rule wants it; or NULL */
    bool is_page_shown; /* a blocked client has been let in to be told with a page, and with nothing else */
    const char *step;   /* where the session stood when it was refused */
    /* when and how much */
    int64_t started_us; /* UTC, microseconds since 1970 */
    int64_t duration_us;
    uint64_t bytes_up;   /* from the client */
    uint64_t bytes_down; /* from the server */
};

#endif
