/* The way to a server, as far as settings tell it; see foreseen.h. A live
 * session does the same in steps_reach.c and dial.c. */
#include "foreseen.h"

#include "../lib/parent.h"

static struct tf_addr dialled_address(const struct tf_conf *conf, const struct tf_target *target)
{
    const struct tf_override *o = tf_conf_override(conf, target);
    if (!o)
        return target->addr;
    struct tf_addr to = o->to;
    if (to.port == 0)
        to.port = target->port;
    return to;
}

void foresee_way(const struct tf_conf *conf, struct tf_facts *facts)
{
    const struct tf_target *target = &facts->target;
    facts->by_parent = tf_parent_takes(conf, target);
    facts->destination = facts->by_parent ? target->addr : dialled_address(conf, target);
}

bool foreseen_is_resolved(const struct tf_conf *conf, const struct tf_facts *facts)
{
    return !facts->by_parent && tf_conf_override(conf, &facts->target) != NULL;
}

enum tf_reason foreseen_access(const struct tf_conf *conf, const struct tf_facts *facts)
{
    return facts->destination.family == TF_FAMILY_NONE
               ? TF_REASON_NONE
               : tf_access_address(&conf->access, &facts->destination);
}
