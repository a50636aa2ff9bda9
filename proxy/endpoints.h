/* The Microsoft 365 endpoint set from its files: the snapshots of conf/m365/,
 * which are built in, or a file as the web service gives it, and an overlay. */
#ifndef ENDPOINTS_H
#define ENDPOINTS_H

#include "../lib/conf.h"

/* A loaded set; owns all that m365 points to. */
struct endpoints {
    struct tf_m365 m365;
    int64_t as_of_s; /* when it was fetched, as far as that is known: the file's time, or that of the
                        snapshot; 0: not */
    void *memory;    /* private */
};

/* What conf's [m365] names. NULL with `FILE:LINE: what is wrong` in error; never half a set. */
struct endpoints *endpoints_load(const struct tf_conf *conf, char *error, size_t size);
/* The set in text[0..n), as the web service gives it, changed as the file `overlay` says if that is not "".
 * `origin` names the text in messages; it is copied. */
struct endpoints *endpoints_parse(const char *text, size_t n, const char *origin, const char *overlay,
                                  char *error, size_t size);
void endpoints_free(struct endpoints *e);

/* `tlsfloor endpoints`: argv[0] is the command. Returns the exit code. */
#define ENDPOINTS_ARGUMENTS                                                                                  \
    "show [--area A] [--category C] [--json] | lookup HOST[:PORT] | diff FILE | "                            \
    "update [--from FILE | --url URL] [-o FILE] [--force]; each with [-c FILE]"
int endpoints_main(int argc, char **argv);

#endif
