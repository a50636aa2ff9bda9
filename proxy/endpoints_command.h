/* What the parts of `tlsfloor endpoints` share. */
#ifndef ENDPOINTS_COMMAND_H
#define ENDPOINTS_COMMAND_H

#include "conf_load.h"

enum { ENDPOINTS_ERROR_MAX = 1024 };

enum endpoints_exit { ENDPOINTS_FINE = 0, ENDPOINTS_FINDING = 1, ENDPOINTS_USAGE = 2 };

/* What was asked; NULL where something was not given. */
struct endpoints_call {
    const char *file; /* of the configuration */
    const struct tf_conf *conf;
    const char *operand;        /* HOST[:PORT] or FILE */
    struct tf_m365_filter only; /* show: both parts count */
    bool json;
    const char *from, *url, *output;
    bool force;
};

/* Each prints its answer, or on standard error what is wrong. */
enum endpoints_exit endpoints_show(const struct endpoints_call *call);
enum endpoints_exit endpoints_lookup(const struct endpoints_call *call);
enum endpoints_exit endpoints_diff(const struct endpoints_call *call);
enum endpoints_exit endpoints_update(const struct endpoints_call *call);

/* Prints a line for each name and set that differs. The number of lines. */
size_t endpoints_print_changes(const struct tf_m365 *before, const struct tf_m365 *after);
/* `TCP 80, 443`, or `no TCP port`. */
void endpoints_put_ports(FILE *to, const struct tf_m365_set *set);
/* `Exchange, Optimize, required`. */
void endpoints_put_rank(FILE *to, const struct tf_m365_set *set);

#endif
