/* The gateway's own CA: a certificate and a key in a directory, and the
 * certificates that it signs. The key never leaves its file (0600) and the
 * memory of this process.
 *
 * Immutable and counted; every function may be called from any thread, and
 * those marked slow belong into the thread pool. */
#ifndef CA_H
#define CA_H

#include "../lib/conf.h"
#include "../lib/constraint.h"
#include "../lib/inside.h"
#include <openssl/types.h>
#include <stdio.h>

struct ca;

/* The longest sentence that the functions below write. */
enum { CA_ERROR_MAX = 512 };

/* Whether settings keep the gateway from starting without its CA: a rule upgrades, or `make = off`. */
bool ca_is_needed(const struct tf_conf *conf);
/* Loads ca.pem and ca.key of conf's [ca] directory and checks them: the key is the certificate's and readable
 * for nobody but its owner, the certificate is a CA's and valid today. In ca.pem others may follow, from its
 * issuer's up to a root. NULL with a sentence in error; *missing, where not NULL, says whether that is
 * because ca.pem is not there, so that ca_make can help. */
struct ca *ca_load(const struct tf_conf *conf, bool *missing, char *error, size_t size);
/* Makes the directory, the key where there is none, and the certificate, constrained to what conf's rules may
 * upgrade; nothing where there is a certificate, unless `renew`: then a new one of the same name for the same
 * key, and the old one is kept beside it. Whole or not at all, whoever else does so at the same moment. */
bool ca_make(const struct tf_conf *conf, bool renew, char *error, size_t size);
struct ca *ca_ref(struct ca *ca);
void ca_unref(struct ca *ca);

X509 *ca_certificate(const struct ca *ca); /* the CA's; lives as long as it does */
/* What a client is sent behind a leaf: nothing for a CA that is its own root, else the CA's certificate and
 * those that lead to a root. As certificate. */
STACK_OF(X509) * ca_chain(const struct ca *ca);
/* Two CAs, such as those before and after a reload, make the same leaves if these bytes are the same. */
enum { CA_ID_SIZE = 32 };
const uint8_t *ca_id(const struct ca *ca);
/* Whether the CA's name constraints let it vouch for a name, or for all below a subtree (tf_constraint_of). A
 * CA without constraints may vouch for any. */
bool ca_permits(const struct ca *ca, const char *name);
/* Whether it may vouch for all that a pattern of the rules or the endpoint set matches. */
bool ca_covers(const struct ca *ca, const char *pattern);

/* The key that all leaves of a kind share: made at the first call, which is slow. NULL: OpenSSL cannot. */
EVP_PKEY *ca_leaf_key(struct ca *ca, enum tf_leaf kind);
/* Before a CA that was just loaded is used: its leaves get the keys of those of `old`, made or yet to be
 * made. */
void ca_share_leaf_keys(struct ca *ca, const struct ca *old);
/* Slow. A certificate for one DNS name, valid from a little before `now_s` (seconds since 1970) for conf's
 * leaf_days, with a random serial. To be freed; NULL: OpenSSL cannot. */
X509 *ca_sign_leaf(struct ca *ca, const char *name, enum tf_leaf kind, int64_t now_s);

/* What `tlsfloor ca ...` in a hint has to end with, to be about the same configuration: ` -c FILE`, or "". */
const char *ca_option(const struct tf_conf *conf);
/* Warns, at the rules' own lines, of names that they upgrade and that the CA may not vouch for, and of rules
 * that make it good for every name. */
void ca_report_outgrown(const struct ca *ca, const struct tf_conf *conf, FILE *errors);

/* `tlsfloor ca`: argv[0] is the command. Returns the exit code. */
#define CA_ARGUMENTS                                                                                         \
    "init [-c FILE] [--renew] | show [-c FILE] | export [-c FILE] [--format pem|der] [--for WHAT] [-o FILE]"
int ca_main(int argc, char **argv);

#endif
