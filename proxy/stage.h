/* Everything that one version of the configuration needs to be in force:
 * sockets, logs, and what each loop works with. Built whole or not at all, so
 * that a reload that fails changes nothing. */
#ifndef STAGE_H
#define STAGE_H

#include "parent_login.h"
#include "sockets.h"

struct stage {
    struct conf *conf;
    struct sockets sockets;
    struct journal *block, *access; /* NULL: off */
    struct tls *tls;                /* NULL: nothing is upgraded */
    struct tickets *tickets;        /* own keys are handed on from stage to stage */
    struct door *doors;             /* one a listener */
    size_t door_count;
    char parent_login[PARENT_LOGIN_MAX];
    struct census *census; /* these four are handed on from stage to stage */
    struct acquaintances *acquaintances;
    struct inventory *inventory; /* NULL: off */
    struct own_ports *own_ports; /* NULL: no stage so far had a transparent listener */
    struct setting *settings;    /* one a loop */
    size_t loops;
};

/* Builds all that conf wants, and takes its reference. What `old`, or for the first stage `inherited`, has
 * and conf wants too is taken over (both may be NULL). `admin`: where the admin socket listens, or NULL.
 * False, with nothing left behind and a sentence in error. */
bool stage_build(struct stage *next, struct conf *conf, const struct stage *old, struct inherited *inherited,
                 size_t loops, const struct tf_addr *admin, char *error, size_t size);
/* Lets go of a stage that is out of use, but for what `next` (may be NULL) has taken over. What it has
 * counted, as stage_add_lines, is added to *totals then. */
void stage_free(struct stage *stage, const struct stage *next, struct totals *totals);
/* Adds the lines of its logs so far, and what else it counts. */
void stage_add_lines(const struct stage *stage, struct totals *totals);
/* Says on standard error where it listens. */
void stage_announce(const struct stage *stage, bool only_new);

#endif
