/* Name constraints of the gateway's own CA (RFC 5280 4.2.1.10): the subtrees
 * of DNS that cover the names which rules may upgrade. */
#ifndef TF_CONSTRAINT_H
#define TF_CONSTRAINT_H

#include "conf.h"

/* The smallest subtree that holds every name of a pattern (rules' and endpoint set's forms): `a.b` for `a.b`
 * and
 * `*.a.b`, `onenote.net` for `*cdn.onenote.net`. Points into pattern. NULL: only all of DNS does (`*`). */
const char *tf_constraint_of(const char *pattern);
/* Whether a name, or the subtree that a name stands for, lies in a subtree. */
bool tf_constraint_covers(const char *subtree, const char *name);

/* Calls each(arg, pattern, rule) for every pattern that may be upgraded, or whose sessions may be shown a
 * page by a rule; `rule` is NULL where that is the default, or what a listener makes of all its sessions; a
 * rule that names addresses, or nothing, is told with the pattern `*`. Rules whose day is over, or whose
 * listeners have certificates of their own, are left out. */
void tf_constraint_walk(const struct tf_conf *conf, int32_t today,
                        void (*each)(void *arg, const char *pattern, const struct tf_rule *rule), void *arg);

#endif
