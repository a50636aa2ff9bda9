/* Rules and the verdict. Nothing here looks anything up: the same facts
 * always give the same answer, and `explain` asks the same function as a
 * live session does. */
#ifndef TF_POLICY_H
#define TF_POLICY_H

#include "facts.h"
#include "m365.h"

enum tf_action { TF_ACTION_TUNNEL, TF_ACTION_UPGRADE, TF_ACTION_BLOCK, TF_ACTION_MONITOR };

enum tf_destination_kind { TF_TO_NAME, TF_TO_BLOCK, TF_TO_M365 };

/* One entry of a rule's `destination`. */
struct tf_destination {
    enum tf_destination_kind kind;
    const char *pattern;        /* TF_TO_NAME: as tf_host_matches wants it */
    struct tf_cidr cidr;        /* TF_TO_BLOCK */
    struct tf_m365_filter m365; /* TF_TO_M365 */
};

/* A [rule NAME]. An empty list matches everything. */
struct tf_rule {
    const char *name;
    unsigned line; /* in the configuration file */
    const char *const *listeners;
    size_t listener_count;
    const struct tf_cidr *sources;
    size_t source_count;
    const struct tf_destination *destinations;
    size_t destination_count;
    const struct tf_port_range *ports;
    size_t port_count;
    enum tf_action action;
    bool page;         /* a blocked browser's user gets a page */
    int32_t until_day; /* last day on which it applies, days since 1970-01-01 UTC; INT32_MAX: for ever */
    const char *owner, *ticket; /* "" where not set */
};

/* [page]: what the company has to say to a person who sees a refusal. */
struct tf_page {
    const char *text, *contact, *link; /* "" where not set */
};

struct tf_policy {
    uint16_t floor; /* TF_TLS12 or TF_TLS13 */
    bool monitor;   /* mode = monitor: nothing is blocked for its TLS version, only logged */
    const struct tf_rule *rules;
    size_t rule_count;
    const struct tf_m365 *m365; /* NULL: none is loaded, and nothing is @m365 */
    bool can_upgrade;           /* there is a CA, or will be one */
    bool sni_mismatch; /* an upgraded client may name another host in its hello than in its CONNECT */
    /* Patterns of tf_m365_name_matches. */
    const char *const *never_terminate; /* hosts that are never upgraded, whatever a rule says */
    size_t never_terminate_count;
    const char *const *stay_plain; /* hosts whose plain HTTP is never upgraded; besides sets that say so */
    size_t stay_plain_count;
    struct tf_page page; /* of rules that have one */
};

enum tf_decided {
    TF_DECIDED,
    TF_NEEDS_ADDRESS /* a rule in the way names a block of addresses, and facts->destination is not known yet
                      */
};

/* Fills facts->verdict, reason, rule and m365 from the client's side of things: source, listener, target,
 * address, name, hello (or not_tls, or a reason that is already set, such as a malformed hello). `today` is
 * days since 1970-01-01 UTC. A session at or above the floor is tunnelled unless a `block` rule matches. One
 * below it, or in plain HTTP, is upgraded where a rule says so, or where no rule matches, the destination is
 * @m365 and the mode is not monitor. An upgrade that cannot be is a block: no common suite, a fallback hello,
 * a name that contradicts the CONNECT, a host that must not be terminated. Behind an address the name in the
 * hello is only a claim: rules that block go by it, and so do upgrades, which prove it; nothing passes
 * untouched for it. Where only an address is known, @m365 goes by the set's address ranges.
 * facts->must_terminate makes an upgrade of what would pass. TF_NEEDS_ADDRESS leaves all but facts->m365 as
 * it was. */
enum tf_decided tf_policy_decide(const struct tf_policy *policy, struct tf_facts *facts, int32_t today);

/* The same for the server's hello, once facts->has_server_hello: false (with reason set) when the session
 * must end. A monitored session goes on, with the reason noted. */
bool tf_policy_server(const struct tf_policy *policy, struct tf_facts *facts);
/* The same where there is no ServerHello that could be read: `reason` says why. */
bool tf_policy_server_wrong(const struct tf_policy *policy, struct tf_facts *facts, enum tf_reason reason,
                            const char *detail);

/* Whether a blocked session's rule has a page for the person behind it, and the gateway can stand in for the
 * server to show it: it is blocked for its TLS version, and could have been upgraded. */
bool tf_policy_allows_page(const struct tf_policy *policy, const struct tf_facts *facts);
/* The host that counts for an upgrade, by name where one is known: the target, or behind an address the name
 * in the client's hello. */
const char *tf_policy_host(const struct tf_facts *facts);
/* Whether nobody's TLS to a host may end here. */
bool tf_policy_never_terminates(const struct tf_policy *policy, const char *host);
/* Whether a plain HTTP request for another target would be upgraded, all else being as in facts: what a
 * Location field may be rewritten for. */
bool tf_policy_upgrades(const struct tf_policy *policy, const struct tf_facts *facts,
                        const struct tf_target *target, int32_t today);
/* Whether a plain HTTP request, decided as facts say, would be upgraded if its host did not have to stay
 * plain. */
bool tf_policy_stays_plain(const struct tf_policy *policy, const struct tf_facts *facts);

/* Whether some client's TLS may end at the gateway by a rule: to be upgraded, or to be shown a page. */
bool tf_rule_terminates(const struct tf_rule *rule);
/* Whether one of the rules has this action. */
bool tf_policy_has_action(const struct tf_policy *policy, enum tf_action action);
/* Whether a version passes the floor; drafts of TLS 1.3 count as 1.3. */
bool tf_version_passes(const struct tf_policy *policy, uint16_t version);
const char *tf_action_name(enum tf_action action);
const char *tf_verdict_name(enum tf_verdict verdict);

#endif
