/* Between the parts of `tlsfloor check`: check.c and check_*.c. */
#ifndef CHECK_H
#define CHECK_H

#include "conf_load.h"

/* What would fail `run`, if its user is ours, as errno; 0: nothing. `what` as for access(). */
int check_access(const char *path, int what);
/* For behind what a user may not: that it may be the wrong one who asks; else "". */
const char *check_hint(int why);
/* Reports that what a key of a section without a name has cannot be used, and what to do about it. Always
 * false. */
bool check_cannot_use(const struct tf_conf *conf, const char *section, const char *key, const char *value,
                      int why, const char *what_to_do);
/* Reports to standard error what stands in the way of upgrades. False: `run` would not start. */
bool check_upgrades(const struct conf *c);
/* Prints on standard error how a firewall turns connections to transparent listeners. */
void check_transparent(const struct tf_conf *conf);

/* check_upstreams.c: warns of servers that clients of `forward` listeners do not get to. */
void check_upstreams(const struct conf *c);
/* check_doors.c: the same for the files of listeners, of the parent proxy and of ticket keys. */
bool check_doors(const struct conf *c);
/* check_logs.c: the same for the logs. */
bool check_logs(const struct tf_conf *conf);
/* check_inventory.c: the same for the file of the inventory. */
bool check_inventory(const struct tf_conf *conf);

#endif
