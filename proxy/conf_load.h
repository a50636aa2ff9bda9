/* Configuration files and environment to an immutable, counted snapshot. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "endpoints.h"
#include <stdatomic.h>
#include <stdio.h>

/* A snapshot. Sessions hold a reference, so a reload never changes what a live tunnel or exchange sees. */
struct conf {
    struct tf_conf tf;
    char *file;
    char host_name[TF_HOST_MAX]; /* of the machine, where [gateway] name says nothing */
    atomic_uint refs;
    struct tf_arena arena; /* holds everything that tf points to, but for what conf_set_bound replaces */
    struct tf_addr *own;   /* tf.access.listeners and local */
    struct endpoints *endpoints; /* what tf.policy.m365 points into */
};

/* Reads `file`, the environment, and the endpoint set that they name. NULL when anything is wrong: every
 * error is then written to `errors`, one a line, as `FILE:LINE: what is wrong, and what to write`. Warnings
 * are written there as well, and say that they are. The caller has the one reference. */
struct conf *conf_load(const char *file, FILE *errors);
/* The same for who asks what there is to keep in mind: notes too are written to `errors`. */
struct conf *conf_load_with_notes(const char *file, FILE *errors);
/* The same for commands that need no gateway: without a file (NULL) and with none in the usual places, the
 * defaults. */
struct conf *conf_load_or_defaults(const char *file, FILE *errors);

/* A setting that a command line may give; it counts more than file and environment. */
struct conf_option {
    const char *name;          /* `--kind` */
    const char *section, *key; /* of a section without a name */
    const char *value;         /* NULL: it is not given */
};

/* The same with options, up to one without a name. *is_usage: one of them is to blame. */
struct conf *conf_load_with_options(const char *file, const struct conf_option *options, FILE *errors,
                                    bool *is_usage);
/* Writes one such line to `errors`, which is a FILE. */
void conf_report(void *errors, enum tf_severity severity, const struct tf_origin *at, const char *sentence);
struct conf *conf_ref(struct conf *c);
void conf_unref(struct conf *c);
/* `conf/tlsfloor.ini` if it is there, else the installed `/etc/tlsfloor/tlsfloor.ini`. */
const char *conf_default_file(void);

/* Completes access.listeners and access.local, once the sockets are bound (ports may have been 0); until then
 * they are the addresses that were configured. Call before the snapshot is shared. False: out of memory. */
bool conf_set_bound(struct conf *c, const struct tf_addr *bound, size_t n);

/* `tlsfloor check` and `tlsfloor explain`: argv[0] is the command. Return the exit code. */
#define CHECK_ARGUMENTS   "[-c FILE] [--dump | --reference[=man]]"
#define EXPLAIN_ARGUMENTS "[-c FILE] --client IP --dest HOST[:PORT] [--listener NAME] [--hello FILE]"
int check_main(int argc, char **argv);
int explain_main(int argc, char **argv);

#endif
