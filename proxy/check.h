/* Between check.c and check_upgrade.c, the parts of `tlsfloor check`. */
#ifndef CHECK_H
#define CHECK_H

#include "conf_load.h"

/* What would fail `run`, if its user is ours, as errno; 0: nothing. `what` as for access(). */
int check_access(const char *path, int what);
/* Reports to standard error what stands in the way of upgrades. False: `run` would not start. */
bool check_upgrades(const struct conf *c);

#endif
