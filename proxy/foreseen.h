/* What can be said of the way to a server without asking anybody, for
 * commands that connect to nothing. */
#ifndef FORESEEN_H
#define FORESEEN_H

#include "../lib/conf.h"

/* For facts->target: whether the parent proxy is gone through, and the address that would be dialled or asked
 * for there, of no family where the name is looked up only then. */
void foresee_way(const struct tf_conf *conf, struct tf_facts *facts);
/* Whether that address is another one's, by [upstream] resolve. */
bool foreseen_is_resolved(const struct tf_conf *conf, const struct tf_facts *facts);
/* TF_REASON_NONE, also where the address is not known, or why it may not be connected to. */
enum tf_reason foreseen_access(const struct tf_conf *conf, const struct tf_facts *facts);

#endif
