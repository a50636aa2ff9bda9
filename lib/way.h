/* What a listener's settings make of its sessions, before anything is heard
 * from them. A live session and `explain` ask the same. */
#ifndef TF_WAY_H
#define TF_WAY_H

#include "conf.h"
#include "front.h"

/* Where all sessions of a `forward` listener go, and whether a listener has a certificate of its own for
 * clients whose TLS ends here: into facts. */
void tf_way_begin(const struct tf_listener *listener, struct tf_facts *facts);
/* Once facts->target is known: facts->mail, facts->must_terminate, and the name of an address that the
 * listener gives. */
void tf_way_aim(const struct tf_listener *listener, struct tf_facts *facts);
/* How a mail session (facts->mail) is gone about, if nothing speaks for taking part in it. */
struct tf_mail_plan tf_way_plan(const struct tf_conf *conf, const struct tf_listener *listener,
                                const struct tf_facts *facts);

/* Whether a rule that upgrades needs the gateway's CA: some listener that it is for, and that may lead to its
 * destinations, has no certificate of its own. */
bool tf_way_needs_ca(const struct tf_listener *listeners, const struct tf_rule *rule);

#endif
