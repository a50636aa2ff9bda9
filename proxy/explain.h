/* Between explain.c and explain_verdict.c, the parts of `tlsfloor explain`. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "conf_load.h"

/* A check that may refuse; false when it did. `what`: what was checked, where that is not plain. */
bool explain_check(const char *name, const char *what, enum tf_reason reason);
/* Fills in the verdict. True: it may be another one, by the address that is dialled. */
bool explain_decide(const struct conf *c, struct tf_facts *facts);
/* The same, and says it and why. */
void explain_verdict(const struct conf *c, struct tf_facts *facts, const char *label);
/* The verdict on the hello in facts, or on three common ones, and what upgraded clients would be shown. */
void explain_tls(const struct conf *c, const struct tf_listener *listener, struct tf_facts *facts,
                 bool is_captured);
/* The verdict on a plain HTTP request, or with facts->mail on a mail session that stays in plain text; true:
 * it is upgraded. */
bool explain_plain(const struct conf *c, const struct tf_facts *facts);

#endif
