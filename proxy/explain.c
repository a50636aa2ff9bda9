/* `tlsfloor explain`: what the gateway would do with a client, and why. It
 * asks the same functions as a live session does, and connects to nothing. */
#include "conf_load.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

/* What was asked. */
struct question {
    const char *file, *listener, *hello_file;
    struct tf_addr client;
    struct tf_target target;
    bool has_client, has_target;
};

static void print_addr_port(const struct tf_addr *a)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_addr_port(&w, a);
    printf("%.*s", (int)w.len, text);
}

/* A check that may refuse; false when it did. */
static bool print_check(const char *name, enum tf_reason reason)
{
    const struct tf_reason_info *info = tf_reason_info(reason);
    if (reason == TF_REASON_NONE)
        printf("  %-12s allowed\n", name);
    else
        printf("  %-12s refused: %s (%s); %s\n", name, info->sentence, info->code, info->advice);
    return reason == TF_REASON_NONE;
}

/* The address that would be dialled, as far as it is known without asking anybody: an override, or the one
 * asked for. */
static struct tf_addr known_address(const struct tf_conf *conf, const struct tf_target *target)
{
    const struct tf_override *o = tf_conf_override(conf, target);
    struct tf_addr none = {.family = TF_FAMILY_NONE};
    if (!o)
        return target->is_address ? target->addr : none;
    struct tf_addr to = o->to;
    if (to.port == 0)
        to.port = target->port;
    return to;
}

static bool print_address(const struct tf_conf *conf, const struct tf_addr *address, bool overridden)
{
    if (address->family == TF_FAMILY_NONE) {
        printf("  %-12s the name is looked up when it is dialled, and every address is checked then\n",
               "address");
        return true;
    }
    if (overridden) {
        printf("  %-12s ", "resolve");
        print_addr_port(address);
        printf(", by [upstream] resolve\n");
    }
    return print_check("address", tf_access_address(&conf->access, address));
}

static void print_verdict(const struct conf *c, struct tf_facts *facts, const char *label)
{
    /* What is not known is taken for an address that only the widest block has. */
    static const struct tf_addr elsewhere = {.family = TF_FAMILY_V4};
    int32_t today = (int32_t)(time(NULL) / 86400);
    bool unsure = tf_policy_decide(&c->tf.policy, facts, today) == TF_NEEDS_ADDRESS;
    if (unsure) {
        facts->destination = elsewhere;
        tf_policy_decide(&c->tf.policy, facts, today);
    }

    printf("  %-12s ", label);
    const struct tf_reason_info *info = tf_reason_info(facts->reason);
    printf("%s", tf_verdict_name(facts->verdict));
    if (facts->reason != TF_REASON_NONE)
        printf(": %s%s%s (%s)", info->sentence, facts->detail ? ": " : "", facts->detail ? facts->detail : "",
               info->code);
    if (facts->rule && facts->rule->line > 0)
        printf("; [rule %s] at %s:%u", facts->rule->name, c->file, facts->rule->line);
    else if (facts->rule)
        printf("; [rule %s] of the environment", facts->rule->name);
    else
        printf("; no rule matches");
    printf("%s\n", unsure ? ", unless by its address; ask again with that as --dest" : "");
}

/* A client that offers this version at most. */
static void explain_version(const struct conf *c, struct tf_facts facts, const char *label, uint16_t version)
{
    facts.has_hello = true;
    facts.hello =
        (struct tf_hello){.legacy_version = version < TF_TLS12 ? version : TF_TLS12, .max_version = version};
    print_verdict(c, &facts, label);
}

static uint8_t *read_flight(const char *file, size_t *n)
{
    size_t room = TF_WIRE_MAX(TF_HELLO_MAX);
    uint8_t *bytes = malloc(room);
    FILE *from = bytes ? fopen(file, "rb") : NULL;
    if (from) {
        *n = fread(bytes, 1, room, from);
        bool failed = ferror(from) != 0;
        int why = errno;
        fclose(from);
        if (!failed)
            return bytes;
        errno = why;
    }
    fprintf(stderr, "tlsfloor explain: %s cannot be read: %s\n", file, strerror(errno));
    free(bytes);
    return NULL;
}

/* What a captured flight says, into facts; true when it is a hello. */
static bool scan(const struct conf *c, const uint8_t *flight, size_t n, uint8_t *scratch,
                 struct tf_facts *facts)
{
    struct tf_hello_scan s = {.limit = c->tf.limits.hello_bytes};
    enum tf_parse result = tf_client_scan(&s, flight, n, NULL, 0, &facts->hello);
    if (result == TF_PARSE_MORE && s.scratch_wanted > 0)
        result = tf_client_scan(&s, flight, n, scratch, c->tf.limits.hello_bytes, &facts->hello);

    switch (result) {
    case TF_PARSE_DONE:
        facts->has_hello = true;
        break;
    case TF_PARSE_MORE:
        facts->reason = TF_REASON_CLIENT_HELLO_CUT;
        break;
    case TF_PARSE_OTHER:
        facts->not_tls = true;
        facts->reason = s.reason;
        break;
    case TF_PARSE_BAD:
        facts->reason = s.reason;
        facts->detail = s.why;
        break;
    }
    return facts->has_hello;
}

static void print_hello(const struct tf_hello *hello)
{
    char version[32];
    struct tf_writer w = tf_writer_of(version, sizeof version);
    tf_put_version(&w, hello->max_version);
    printf("  %-12s offers %.*s at most%s", "hello", (int)w.len, version,
           hello->format == TF_FORMAT_SSLV2 ? ", in SSLv2 format" : "");
    if (hello->server_name.n > 0)
        printf(", and names %.*s", (int)hello->server_name.n, (const char *)hello->server_name.p);
    printf("\n");
}

/* The verdicts on the hello in q->hello_file, or on three common ones. False: the file cannot be read. */
static bool explain_hello(const struct conf *c, const struct question *q, struct tf_facts *facts)
{
    if (!q->hello_file) {
        explain_version(c, *facts, "TLS 1.0", TF_TLS10);
        explain_version(c, *facts, "TLS 1.2", TF_TLS12);
        explain_version(c, *facts, "TLS 1.3", TF_TLS13);
        return true;
    }
    size_t n;
    uint8_t *flight = read_flight(q->hello_file, &n);
    uint8_t *scratch = flight ? malloc(c->tf.limits.hello_bytes) : NULL;
    if (scratch) {
        if (scan(c, flight, n, scratch, facts))
            print_hello(&facts->hello);
        print_verdict(c, facts, "verdict");
    }
    bool ok = scratch != NULL;
    free(scratch);
    free(flight);
    return ok;
}

static bool explain_listener(const struct conf *c, const struct question *q, const struct tf_listener *l)
{
    struct tf_facts facts = {
        .source = q->client, .listener = l->name, .has_target = true, .target = q->target};
    facts.destination = known_address(&c->tf, &q->target);
    bool overridden = tf_conf_override(&c->tf, &q->target) != NULL;

    printf("listener %s (%s), ", l->name, l->kind == TF_KIND_SNI ? "sni" : "connect");
    for (size_t i = 0; i < l->address_count; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_addr_port(&l->addresses[i]);
    }
    printf(":\n");
    return !print_check("source", tf_access_source(&c->tf.access, &q->client)) ||
           !print_check("port", tf_access_port(&c->tf.access, q->target.port)) ||
           !print_address(&c->tf, &facts.destination, overridden) || explain_hello(c, q, &facts);
}

static int explain(const struct conf *c, const struct question *q)
{
    bool any = false;
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next) {
        if (q->listener && strcmp(l->name, q->listener) != 0)
            continue;
        if (!explain_listener(c, q, l))
            return FINDING;
        any = true;
    }
    if (any)
        return FINE;
    fprintf(stderr, "tlsfloor explain: there is no listener '%s' in %s\n", q->listener, c->file);
    return USAGE;
}

static int usage(void)
{
    fprintf(
        stderr,
        "usage: tlsfloor explain -c FILE --client IP --dest HOST:PORT [--listener NAME] [--hello FILE]\n");
    return USAGE;
}

/* False: one of the arguments makes no sense, and it has been said. */
static bool parse(int argc, char **argv, struct question *q)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"client", required_argument, NULL, 's'},
        {"dest", required_argument, NULL, 'd'},   {"listener", required_argument, NULL, 'l'},
        {"hello", required_argument, NULL, 'h'},  {NULL, 0, NULL, 0},
    };
    enum tf_host_error e;
    int option;

    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            q->file = optarg;
            break;
        case 's':
            q->has_client = tf_addr_parse(optarg, strlen(optarg), &q->client);
            if (!q->has_client) {
                fprintf(stderr, "tlsfloor explain: --client '%s' is no IP address\n", optarg);
                return false;
            }
            break;
        case 'd':
            e = tf_authority_parse(optarg, strlen(optarg), 0, &q->target);
            q->has_target = e == TF_HOST_OK;
            if (!q->has_target) {
                fprintf(stderr, "tlsfloor explain: --dest '%s' is no HOST:PORT: %s\n", optarg,
                        tf_host_error_text(e));
                return false;
            }
            break;
        case 'l':
            q->listener = optarg;
            break;
        case 'h':
            q->hello_file = optarg;
            break;
        default: /* getopt has said what is wrong */
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tlsfloor explain: '%s' is not expected\n", argv[optind]);
        return false;
    }
    if (!q->has_client || !q->has_target)
        fprintf(stderr, "tlsfloor explain: --client and --dest are needed\n");
    return q->has_client && q->has_target;
}

int explain_main(int argc, char **argv)
{
    struct question q = {.file = conf_default_file()};
    if (!parse(argc, argv, &q))
        return usage();
    struct conf *c = conf_load(q.file, stderr);
    if (!c)
        return FINDING;
    int code = explain(c, &q);
    conf_unref(c);
    return code;
}
