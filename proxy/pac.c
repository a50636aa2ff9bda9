/* The PAC file: functions that are the same for everybody, from proxy/pac/,
 * and tables that lib/pac.c makes of the settings. */
#include "pac.h"

#include "conf_load.h"
#include "embed.h"
#include "print.h"

#include <getopt.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

EMBED(pac_gateway, "proxy/pac/gateway.js");
EMBED(pac_legacy, "proxy/pac/legacy.js");
EMBED(pac_common, "proxy/pac/common.js");

bool pac_is_known(const struct tf_conf *conf)
{
    return conf->pac.proxy_count > 0;
}

static void put_script(struct tf_writer *w, const void *arg)
{
    const struct tf_conf *conf = arg;
    bool is_legacy = conf->pac.kind == TF_PAC_LEGACY;
    tf_put(w, is_legacy ? pac_legacy : pac_gateway, is_legacy ? pac_legacy_size : pac_gateway_size);
    tf_put(w, pac_common, pac_common_size);
    tf_put_pac_tables(w, &conf->pac, conf->policy.m365);
}

bool pac_write(FILE *to, const struct tf_conf *conf)
{
    return print_whole(to, put_script, conf);
}

/* The command. Most of its options are settings. */

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"kind", required_argument, NULL, 'k'},
    {"direct", required_argument, NULL, 'd'},
    {"proxy", required_argument, NULL, 'p'},
    {"clients", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor pac " PAC_ARGUMENTS "\n");
    return code;
}

/* Nobody has said which proxy, and the one that was found is good for browsers of this machine only. Where
 * anything at all is said of PAC files, loading has warned of it already. */
static bool is_for_this_machine(const struct tf_conf *conf)
{
    return !tf_conf_is_written(conf, "pac") && tf_pac_proxy_is_local(conf->pac.proxies);
}

static int print_pac(const struct tf_conf *conf)
{
    if (!pac_is_known(conf)) {
        fprintf(stderr,
                "tlsfloor pac: no listener of kind connect is at an address that browsers could go to; "
                "write --proxy HOST:PORT, or [pac] proxy\n");
        return FINDING;
    }
    if (is_for_this_machine(conf))
        fprintf(stderr,
                "tlsfloor pac: warning: the proxy is this machine itself, which others cannot reach; for "
                "them, write --proxy HOST:PORT, or [pac] proxy\n");
    if (pac_write(stdout, conf))
        return FINE;
    fprintf(stderr, "tlsfloor pac: the file cannot be written\n");
    return FINDING;
}

int pac_main(int argc, char **argv)
{
    enum { KIND, DIRECT, PROXY, CLIENTS, SETTINGS };
    struct conf_option settings[SETTINGS + 1] = {[KIND] = {"--kind", "pac", "kind", NULL},
                                                 [DIRECT] = {"--direct", "pac", "direct", NULL},
                                                 [PROXY] = {"--proxy", "pac", "proxy", NULL},
                                                 [CLIENTS] = {"--clients", "pac", "clients", NULL}};
    const char *file = NULL;
    bool is_usage;
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'k':
            settings[KIND].value = optarg;
            break;
        case 'd':
            settings[DIRECT].value = optarg;
            break;
        case 'p':
            settings[PROXY].value = optarg;
            break;
        case 's':
            settings[CLIENTS].value = optarg;
            break;
        case 'h':
            return usage(stdout, FINE);
        default: /* getopt has said what is wrong */
            return usage(stderr, USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: '%s' is not expected; the file is given with -c\n", argv[0], argv[optind]);
        return USAGE;
    }
    struct conf *conf = conf_load_with_options(file, settings, stderr, &is_usage);
    if (!conf)
        return is_usage ? USAGE : FINDING;
    int code = print_pac(&conf->tf);
    conf_unref(conf);
    return code;
}
