/* Who a client is: the software, told by its hello and by what it says of
 * itself, and what there is to be done about it.
 *
 * Nothing here is known for certain of a device: each answer says on what it
 * rests and how sure it is, and whoever prints it must print that too. */
#ifndef TF_CLIENT_H
#define TF_CLIENT_H

#include "hello.h"

/* Of client_signatures.def and client_agents.def: what was recognised by one may be told otherwise by the
 * next. */
#define TF_CLIENT_TABLE_VERSION "2026-11"

/* One row of clients.def. */
enum tf_client_family {
    TF_CLIENT_FAMILY_UNKNOWN,
#define FAMILY(id, slug, name, kind, ability, article, fix) TF_CLIENT_FAMILY_##id,
#include "clients.def"
#undef FAMILY
    TF_CLIENT_FAMILY_COUNT
};

/* What a family is. */
enum tf_client_kind {
    TF_CLIENT_STACK,   /* TLS software that a hello can be recognised by */
    TF_CLIENT_BROWSER, /* the same, and a person may be looking */
    TF_CLIENT_PRODUCT  /* what the vendor's articles name: advice only, no hello tells it */
};

/* Whether it can ever speak TLS 1.2. */
enum tf_client_ability {
    TF_CLIENT_ABILITY_UNKNOWN,
    TF_CLIENT_UNABLE,      /* known unable: to be replaced, or upgraded by the gateway for good */
    TF_CLIENT_UPDATE,      /* a later version can */
    TF_CLIENT_CONFIGURABLE /* can be configured to */
};

/* How sure it is that a client is of a family. */
enum tf_client_certainty {
    TF_CLIENT_NOT_KNOWN,
    TF_CLIENT_POSSIBLE, /* others look the same, or nearly */
    TF_CLIENT_LIKELY,   /* looks the same in all that was compared */
    TF_CLIENT_CERTAIN   /* the hello and what the client says of itself agree */
};

/* What the answer rests on; bits. */
enum { TF_CLIENT_BY_HELLO = 1, TF_CLIENT_BY_USER_AGENT = 2, TF_CLIENT_BY_GREETING = 4 };

struct tf_client_info {
    const char *slug; /* `java-6`; "" for unknown */
    const char *name; /* of the family: `Java 6` */
    enum tf_client_kind kind;
    enum tf_client_ability ability;
    const char *article; /* of the vendor, by its number, as `KB3140245`; "" */
    const char *fix;     /* a sentence, at most 160 characters */
};

struct tf_client {
    enum tf_client_family family;
    enum tf_client_certainty certainty;
    uint8_t evidence; /* TF_CLIENT_BY_... */
    const char *name; /* what exactly, as `Java 6u45`; a fixed text, worded as a guess (`perhaps ...`) where
                         it is only possible; "" where nothing is known */
};

/* Never NULL; lives as long as the program. */
const struct tf_client_info *tf_client_info(enum tf_client_family family);
const char *tf_client_ability_name(enum tf_client_ability ability); /* `known unable`, `can be updated`,
                                                                        `can be configured`, `unknown` */
const char *
tf_client_certainty_name(enum tf_client_certainty certainty); /* `certain`, `likely`, `possible`, `` */
/* By slug, any case. False: there is none. */
bool tf_client_family_parse(const char *slug, size_t n, enum tf_client_family *family);

/* Whether it is at or above TLS 1.2. What opens in SSLv2 format is not, whatever it announces. */
bool tf_client_is_healthy(const struct tf_hello *hello);
/* Recognises a client below TLS 1.2 by its hello (NULL: none came), its User-Agent and what it said in EHLO
 * ("": nothing seen). Of a healthy client nothing is said: family TF_CLIENT_FAMILY_UNKNOWN. Where hello
 * and words contradict each other the hello counts. */
struct tf_client tf_client_identify(const struct tf_hello *hello, const char *user_agent,
                                    const char *greeting);
/* Whether a client that looks so may have offered TLS 1.2 a moment ago: it may be a stray hello then. What is
 * known to have nothing better may not: that was another program on the same machine. */
bool tf_client_may_do_better(enum tf_client_family family);
/* Whether a person may be looking at the answer: the User-Agent is a browser's; or, where there is none, the
 * family is a browser or the hello (NULL: none came) offers HTTP by ALPN. */
bool tf_client_is_browser(const struct tf_hello *hello, const char *user_agent, enum tf_client_family family);
/* The same client software gives the same value, whatever it draws at random (GREASE, session, key shares):
 * over suites, extensions, groups and versions in their order. Not for the wire. 0 where there is no hello.
 */
uint64_t tf_client_fingerprint(const struct tf_hello *hello);

#endif
