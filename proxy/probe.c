/* `tlsfloor probe`: the run, from the arguments to the report. What is asked
 * of a server, and how, is in the other probe_*.c; see probe_parts.h. */
#include "probe.h"

#include "../lib/text.h"
#include "conf_load.h"
#include "probe_parts.h"
#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 0, FINDING = 1, USAGE = 2, GO_ON = -1 };
enum { TIMEOUT_S = 5, TIMEOUT_MAX_S = 60, RUN_MS = 300 * 1000 };

struct order {
    const char *file;
    struct tf_target target;
    enum probe_starttls starttls;
    bool starttls_named;
    bool json;
    uint32_t timeout_ms;
};

/* What a port stands for, where nothing else is said. */
static enum probe_starttls usual_starttls(uint16_t port)
{
    switch (port) {
    case 25:
    case 587:
        return PROBE_SMTP;
    case 143:
        return PROBE_IMAP;
    case 110:
        return PROBE_POP3;
    default:
        return PROBE_AT_ONCE;
    }
}

static void find_versions(struct probe *p, struct probe_result *r)
{
    static const uint16_t versions[PROBE_VERSIONS] = {TF_TLS13, TF_TLS12, TF_TLS11, TF_TLS10, TF_SSL3};
    for (size_t i = 0; i < PROBE_VERSIONS; i++) {
        struct probe_version *v = &r->versions[i];
        if (i > 0 && r->versions[0].outcome == PROBE_UNREACHABLE)
            *v = r->versions[0]; /* asking again would only take longer */
        else
            probe_suites(p, versions[i], v);
        v->version = versions[i];
        if (v->outcome != PROBE_TAKEN)
            continue;
        probe_sessions(p, v);
        r->best = r->best ? r->best : v;
        r->worst = v;
    }
}

static void run(struct probe *p, struct probe_result *r)
{
    find_versions(p, r);
    if (r->best && r->best->has_session)
        probe_best(p, r);
    if (p->is_reached) {
        struct tf_writer w = tf_writer_of(r->address, sizeof r->address);
        tf_put_addr_port(&w, &p->target.addr);
        probe_outside(p, r);
    }
}

static void print(const struct probe *p, const struct probe_result *r, bool json)
{
    char *text = malloc(PROBE_REPORT_MAX);
    struct tf_writer w = tf_writer_of(text, text ? PROBE_REPORT_MAX : 0);
    if (json)
        probe_put_json(&w, p, r);
    else
        probe_put_text(&w, p, r);
    assert(!w.full || !text);
    fwrite(w.p, 1, w.len, stdout);
    free(text);
}

static int probe(const struct order *o)
{
    struct conf *c = conf_load_or_defaults(o->file, stderr);
    if (!c)
        return FINDING;
    char error[PROBE_TEXT_MAX];
    struct probe p = {
        .conf = &c->tf,
        .tls = tls_new(&c->tf, NULL, NULL, error, sizeof error),
        .lenient = probe_context(),
        .asked = o->target,
        .target = o->target,
        .starttls = o->starttls,
        .is_http = o->starttls == PROBE_AT_ONCE && !tf_port_is_mail(o->target.port),
        .timeout_ms = o->timeout_ms,
        .end_ms = fetch_now_ms() + RUN_MS,
    };
    struct probe_result r = {.outside = TF_REASON_UPSTREAM_TLS_FAILED};
    int code = FINDING;
    if (!p.tls || !p.lenient) {
        fprintf(stderr, "tlsfloor probe: %s\n", p.tls ? "out of memory" : error);
    } else {
        run(&p, &r);
        print(&p, &r, o->json);
        code = fflush(stdout) == 0 && !probe_is_finding(&p, &r) ? FINE : FINDING;
    }
    tls_unref(p.tls);
    SSL_CTX_free(p.lenient);
    conf_unref(c);
    return code;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor probe " PROBE_ARGUMENTS "\n");
    return code;
}

static bool parse_starttls(const char *text, struct order *o)
{
    o->starttls_named = true;
    for (o->starttls = PROBE_SMTP; o->starttls <= PROBE_POP3; o->starttls++)
        if (strcmp(text, probe_starttls_name(o->starttls)) == 0)
            return true;
    fprintf(stderr, "tlsfloor probe: --starttls '%s' is none of smtp, imap and pop3\n", text);
    return false;
}

static bool parse_timeout(const char *text, struct order *o)
{
    uint64_t seconds;
    bool ok = tf_text_number(tf_text_of(text), TIMEOUT_MAX_S, &seconds) && seconds > 0;
    if (ok)
        o->timeout_ms = (uint32_t)seconds * 1000;
    else
        fprintf(stderr, "tlsfloor probe: --timeout '%s' is no number of seconds from 1 to %d\n", text,
                TIMEOUT_MAX_S);
    return ok;
}

static bool parse_target(const char *text, struct order *o)
{
    enum tf_host_error e = tf_authority_parse(text, strlen(text), 443, &o->target);
    if (e != TF_HOST_OK)
        fprintf(stderr, "tlsfloor probe: '%s' is no HOST:PORT: %s\n", text, tf_host_error_text(e));
    return e == TF_HOST_OK;
}

/* The exit code, if that is all. */
static int parse_options(int argc, char **argv, struct order *o)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},  {"starttls", required_argument, NULL, 's'},
        {"timeout", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            o->file = optarg;
            break;
        case 's':
            if (!parse_starttls(optarg, o))
                return usage(stderr, USAGE);
            break;
        case 't':
            if (!parse_timeout(optarg, o))
                return usage(stderr, USAGE);
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            return usage(stdout, FINE);
        default: /* getopt has said what is wrong */
            return usage(stderr, USAGE);
        }
    }
    return GO_ON;
}

int probe_main(int argc, char **argv)
{
    struct order o = {.timeout_ms = TIMEOUT_S * 1000};
    int code = parse_options(argc, argv, &o);
    if (code != GO_ON)
        return code;
    if (optind + 1 != argc) {
        fprintf(stderr, "tlsfloor probe: one server is needed, as HOST:PORT\n");
        return usage(stderr, USAGE);
    }
    if (!parse_target(argv[optind], &o))
        return usage(stderr, USAGE);
    if (!o.starttls_named)
        o.starttls = usual_starttls(o.target.port);
    return probe(&o);
}
