/* A session: from an accepted socket to its log line.
 *
 * It gathers facts, decides, acts, records facts. What it does when is a row
 * of steps (routes.c); what each step does is in steps_*.c. A step never
 * calls another step or the runner: it answers what is to happen next. */
#ifndef SESSION_H
#define SESSION_H

#include "../lib/front.h"
#include "../lib/record.h"
#include "deadline.h"
#include "link.h"
#include "outbox.h"
#include "relay.h"
#include "spares.h"

struct loop;
struct conf;
struct session;

enum step_result {
    STEP_NEXT,   /* on to the next step of the row, or behind its end to the verdict's */
    STEP_WAIT,   /* nothing to do until an edge, a callback or the deadline */
    STEP_MORE,   /* there is more to do at once, but it is the others' turn */
    STEP_ROUTE,  /* go on at the start of session->route, which the step has set */
    STEP_REFUSE, /* facts->reason says why: tell the client, and close */
    STEP_END     /* close; session->end may say why */
};

struct step {
    const char *name; /* in logs */
    enum step_result (*run)(struct session *s);
    size_t limit; /* offset in struct tf_limits of the time that the step may take, from its first wait */
    enum step_result (*late)(struct session *s); /* it is over: STEP_REFUSE or STEP_END. NULL: never waits */
};

/* A row: the steps of a front or of a verdict, NULL behind the last. */
struct route {
    const char *name;
    const struct step *steps[13];
};

/* A login that is being checked (steps_login.c). */
struct login_check {
    struct tf_login login; /* wiped when it has been checked */
    enum { LOGIN_NONE, LOGIN_CHECKING, LOGIN_RIGHT, LOGIN_WRONG, LOGIN_FETCHING, LOGIN_FETCHED } state;
    struct login_wait *wait;
    struct oauth_wait *token_wait;
    char *token; /* of a bridge; from the heap, and wiped */
};

/* What is only needed until the bytes just flow; then it is given back. */
struct setup {
    struct tf_facts facts;
    const struct tf_front *front;  /* whose dialogue it is */
    const struct tf_front *tongue; /* who words a refusal now: the front, or TLS inside a tunnel */
    void *front_state;
    struct tf_hello_scan client_scan;
    uint8_t *scratch; /* a hello that spans records, put together */
    size_t scratch_size;
    struct lookahead hello; /* the client's flight: the facts point into it */
    struct tf_server_scan server_scan;
    uint8_t *server_scratch;
    size_t server_scratch_size;
    uint32_t server_passed; /* bytes of the server's lookahead that the client has */
    struct dial *dial;
    bool dial_failed;
    struct mint_wait *mint; /* an upgrade waits for its leaf */
    bool mint_failed;
    enum tf_reason
        page_for;    /* why the client is blocked that is to be shown a page; TF_REASON_NONE: none is */
    char why[512];   /* facts->detail, where it is no fixed sentence */
    bool has_spoken; /* the client, in the request that is being read */
    struct login_check login;
    struct tf_addr meant_for; /* as a PROXY header says; family TF_FAMILY_NONE: it does not */
    /* mail */
    struct tf_mail_plan plan;
    enum mail_point {
        MAIL_BEGIN, /* the dialogue is about to begin */
        MAIL_TALK,
        MAIL_SERVER_TLS, /* the server's TLS is being set up, and the front wants to hear of it */
        MAIL_CLIENT_TLS  /* the client's, likewise */
    } mail;
    bool is_client_mute; /* what it has sent is no text of the dialogue */
    /* plain HTTP, and mail */
    enum tf_feed over;    /* what the front wants when its words are sent; TF_FEED_MORE: nothing yet */
    struct outbox out[2]; /* for the client, for the server */
    /* plain HTTP */
    struct place server;   /* what side[TF_SERVER] is connected to, for the next request */
    struct spares *spares; /* connections to other servers */
    bool is_reused;        /* an earlier request has used this one */
    size_t resend; /* so much of the outbox may be sent again on a new connection; 0: it is too late */
    struct tf_target within; /* whom the client's TLS is with, which ends here, and in which its requests are
                              * read; host empty: they are not */
    bool is_told;            /* within it, a request has left the lines that one session has */
};

struct session {
    uint32_t magic;
    bool is_ready;   /* in loop->ready */
    bool is_closed;  /* nothing but the memory is left */
    bool must_reset; /* a FIN now would pass for the end of a response that is still coming */
    struct loop *loop;
    struct conf *conf; /* the settings when it began, or at its last request */
    const struct tf_listener *listener;
    const struct route *route;
    const struct step *const *at;
    const struct step *timed; /* the step that the deadline is for */
    struct link side[2];      /* by enum tf_side */
    struct flow flow[2];      /* by the side that the bytes come from */
    uint64_t bytes[2];        /* likewise */
    struct deadline deadline;
    int64_t started_us;
    struct setup *setup;
    enum tf_reason end;                       /* why, with STEP_END */
    struct census_entry *by_source, *by_user; /* where it is counted, or NULL */
    char *access_head;                        /* of a tunnel whose setup is gone, when the access log is on */
    struct session *prev, *next, *next_ready;
};

/* Takes over fd, which was accepted from `source`, and runs. Closes fd when there is no memory. */
void session_start(struct loop *loop, const struct tf_listener *listener, int fd,
                   const struct tf_addr *source);
void session_run(struct session *s);
/* Ends it at once, for `reason`. */
void session_abort(struct session *s, enum tf_reason reason);
/* The gateway is shutting down: ends it if it only waits for another request. */
void session_drain(struct session *s);
void session_on_deadline(struct deadline *d);

/* For steps. */
struct tf_facts *session_facts(struct session *s); /* until the session is settled */
/* What belongs to its listener; NULL: a reload has taken the listener away. */
const struct door *session_door(const struct session *s);
/* The name that the server's certificate must have. */
const char *session_server_name(const struct session *s);
/* From here on this front's dialogue is the session's. False: out of memory. */
bool session_take_front(struct session *s, const struct tf_front *front);
/* Whether its plain text is requests that are read, one by one, inside the client's own TLS. */
static inline bool session_is_within(const struct session *s)
{
    return s->setup->within.host[0] != '\0';
}
/* Logs what is due and gives the setup back: from here on bytes only flow. */
void session_settle(struct session *s);
/* A request is judged by the settings in force when it comes, whatever its connection began with. When their
 * listener is gone, the old ones stay; and so they do within TLS, whose verdict was that of its hello. */
void session_renew(struct session *s);
/* Logs a plain HTTP exchange; the facts are those of the next one then. Within TLS, the first one leaves the
 * lines of the session. */
void session_exchange_over(struct session *s);
/* Says goodbye to the client so that what it was told arrives (see linger.h), unless it must see a reset. */
void session_linger(struct session *s);
/* Bytes moved: the step's time begins anew, with the length at this offset of struct tf_limits. False: out of
 * memory. */
bool session_touch(struct session *s, size_t limit);
/* What the server's socket says, once it is dialled. */
void session_on_server(void *arg, unsigned ready);

#endif
