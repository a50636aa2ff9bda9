/* What the tests of the CA and of minting share: a directory of their own below /tmp, and settings made by
 * hand, with one rule that upgrades what the test names. */
#ifndef CA_FIXTURE_H
#define CA_FIXTURE_H

#include "../../proxy/ca.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ca_stage {
    char top[64];       /* removed at the end */
    char directory[96]; /* of the CA; not there yet */
    struct tf_conf conf;
    struct tf_rule rule;
    struct tf_destination to[8];
};

/* What the rule upgrades from now on; ends with a NULL. No names: every name. */
static inline void stage_upgrade(struct ca_stage *s, const char *const *patterns)
{
    size_t n = 0;
    for (; patterns[n]; n++) {
        assert_true(n < sizeof s->to / sizeof *s->to);
        s->to[n] = (struct tf_destination){.kind = TF_TO_NAME, .pattern = patterns[n]};
    }
    s->rule = (struct tf_rule){.name = "old clients",
                               .action = TF_ACTION_UPGRADE,
                               .until_day = INT32_MAX,
                               .destinations = s->to,
                               .destination_count = n};
    s->conf.policy.rules = &s->rule;
    s->conf.policy.rule_count = 1;
}

static inline void stage_begin(struct ca_stage *s)
{
    static const char *const names[] = {"*.floor.test", NULL};
    memset(s, 0, sizeof *s);
    strcpy(s->top, "/tmp/tlsfloor-ca-XXXXXX");
    assert_non_null(mkdtemp(s->top));
    snprintf(s->directory, sizeof s->directory, "%s/var/ca", s->top);
    s->conf.ca.directory = s->directory;
    s->conf.ca.leaf_days = 7;
    stage_upgrade(s, names);
}

static inline void stage_end(struct ca_stage *s)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", s->top);
    assert_int_equal(system(command), 0);
}

static inline void stage_make(struct ca_stage *s)
{
    char error[CA_ERROR_MAX];
    if (!ca_make(&s->conf, false, error, sizeof error))
        fail_msg("%s", error);
}

static inline struct ca *stage_load(struct ca_stage *s)
{
    char error[CA_ERROR_MAX];
    struct ca *ca = ca_load(&s->conf, NULL, error, sizeof error);
    if (!ca)
        fail_msg("%s", error);
    return ca;
}

/* Loading fails, and the sentence says so. */
static inline void stage_refuse(struct ca_stage *s, const char *sentence)
{
    char error[CA_ERROR_MAX] = "";
    bool missing = true;
    assert_null(ca_load(&s->conf, &missing, error, sizeof error));
    assert_false(missing);
    if (!strstr(error, sentence))
        fail_msg("'%s' is not in '%s'", sentence, error);
}

static inline const char *stage_path(struct ca_stage *s, const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", s->directory, name);
    return path;
}

#endif
