/* `tlsfloor explain`: what the gateway would do with a client, and why. It
 * asks the same functions as a live session does, and connects to nothing. */
#include "explain.h"

#include "../lib/way.h"
#include "foreseen.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 0, FINDING = 1, USAGE = 2, GO_ON = -1 };

/* What was asked. */
struct question {
    const char *file, *listener, *hello_file;
    struct tf_addr client;
    struct tf_target target;
    bool has_client, has_target;
    uint8_t *flight; /* the bytes of hello_file; NULL: three common clients are explained */
    size_t flight_len;
};

static void print_addr_port(const struct tf_addr *a)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_addr_port(&w, a);
    printf("%.*s", (int)w.len, text);
}

/* The parent proxy looks names up itself, and its own address is not a client's business. */
static void print_parent(const struct tf_conf *conf, const struct tf_facts *facts)
{
    char text[TF_AUTHORITY_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    if (!conf->parent.proxy.host[0])
        return;
    tf_put_authority(&w, &conf->parent.proxy, 0);
    printf("  %-12s ", "parent");
    if (facts->by_parent)
        printf("%.*s%s\n", (int)w.len, text, facts->target.is_address ? "" : ", which looks the name up");
    else
        printf("by-passed: [upstream] proxy_bypass has it\n");
}

static bool print_address(const struct tf_conf *conf, const struct tf_facts *facts)
{
    bool is_known = facts->destination.family != TF_FAMILY_NONE;
    print_parent(conf, facts);
    if (foreseen_is_resolved(conf, facts)) {
        printf("  %-12s ", "resolve");
        print_addr_port(&facts->destination);
        printf(", by [upstream] resolve\n");
    }
    if (is_known)
        return explain_check("address", "", foreseen_access(conf, facts));
    if (!facts->by_parent)
        printf("  %-12s the name is looked up when it is dialled, and every address is checked then\n",
               "address");
    return true;
}

/* Reads q->hello_file, if there is one. False: it cannot be read. */
static bool read_flight(struct question *q)
{
    size_t room = TF_WIRE_MAX(TF_HELLO_MAX);
    FILE *from = q->hello_file ? fopen(q->hello_file, "rb") : NULL;
    bool ok = q->hello_file == NULL;

    if (from && (q->flight = malloc(room)) != NULL) {
        q->flight_len = fread(q->flight, 1, room, from);
        ok = !ferror(from);
    }
    if (!ok)
        fprintf(stderr, "tlsfloor explain: %s cannot be read: %s\n", q->hello_file, strerror(errno));
    if (from)
        fclose(from);
    return ok;
}

/* What the flight says, into facts. */
static void scan(const struct conf *c, const struct question *q, uint8_t *scratch, struct tf_facts *facts)
{
    size_t limit = c->tf.limits.hello_bytes;
    struct tf_hello_scan s = {.limit = limit};
    enum tf_parse result = tf_client_scan(&s, q->flight, q->flight_len, scratch, limit, &facts->hello);

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
}

static void print_hello(const struct tf_hello *hello, bool is_dialled)
{
    char version[32];
    struct tf_writer w = tf_writer_of(version, sizeof version);
    tf_put_version(&w, hello->max_version);
    printf("  %-12s offers %.*s at most%s", "hello", (int)w.len, version,
           hello->format == TF_FORMAT_SSLV2 ? ", in SSLv2 format" : "");
    if (hello->server_name.n > 0)
        printf(", and names %.*s%s", (int)hello->server_name.n, (const char *)hello->server_name.p,
               is_dialled ? ", which is dialled whatever --dest says" : "");
    printf("\n");
}

/* A listener of kind sni goes to its own port, and to the name in the hello; where none was captured, to that
 * in --dest. */
static void set_sni_target(struct tf_facts *facts, const struct question *q, uint16_t port)
{
    const struct tf_span *name = &facts->hello.server_name;
    if (q->flight) {
        facts->target = (struct tf_target){.is_address = false};
        facts->has_target = facts->has_hello && name->n > 0 &&
                            tf_host_parse((const char *)name->p, name->n, &facts->target) == TF_HOST_OK;
    }
    if (facts->has_hello && name->n > 0 && !facts->has_target)
        facts->reason = TF_REASON_HOST_INVALID;
    facts->target.port = facts->target.addr.port = port;
}

/* There is no name to dial. Policy comes first, as it does for a live session. */
static void explain_no_target(const struct conf *c, struct tf_facts *facts)
{
    struct tf_facts decided = *facts;
    explain_decide(c, &decided);
    if (decided.verdict == TF_VERDICT_BLOCK)
        explain_verdict(c, facts, "verdict");
    else
        explain_check("name", "", decided.reason != TF_REASON_NONE ? decided.reason : TF_REASON_SNI_MISSING);
}

/* Behind an address the name in the hello counts as well. */
static void note_name(struct tf_facts *facts)
{
    const struct tf_span *name = &facts->hello.server_name;
    struct tf_target named;
    if (facts->target.is_address && tf_host_parse((const char *)name->p, name->n, &named) == TF_HOST_OK &&
        !named.is_address)
        memcpy(facts->name, named.host, sizeof facts->name);
}

static void print_listener(const struct tf_listener *l)
{
    static const char *const kinds[] = {[TF_KIND_CONNECT] = "connect",
                                        [TF_KIND_SNI] = "sni",
                                        [TF_KIND_FORWARD] = "forward",
                                        [TF_KIND_SOCKS5] = "socks5",
                                        [TF_KIND_TRANSPARENT] = "transparent"};
    printf("listener %s (%s), ", l->name, kinds[l->kind]);
    for (size_t i = 0; i < l->address_count; i++) {
        printf("%s", i > 0 ? ", " : "");
        print_addr_port(&l->addresses[i]);
    }
    printf(":\n");
}

/* Where the client would get to, as far as that is known beforehand. */
static bool is_reachable(const struct conf *c, const struct tf_facts *facts, const char *port)
{
    return explain_check("port", port, tf_access_port(&c->tf.access, facts->target.port)) &&
           print_address(&c->tf, facts);
}

/* An upgraded request for port 80 goes to 443, which may be somewhere else. */
static void explain_http(const struct conf *c, const struct tf_facts *facts)
{
    struct tf_facts secure = *facts;
    if (!explain_plain(c, facts) || facts->target.port != 80)
        return;
    secure.target.port = secure.target.addr.port = 443;
    foresee_way(&c->tf, &secure);
    is_reachable(c, &secure, "443 (of the upgrade): ");
}

/* Where the destination is checked first. Mail begins in plain text, and so may the HTTP of some listeners.
 */
static void explain_connect(const struct conf *c, const struct question *q, const struct tf_listener *l,
                            struct tf_facts *facts)
{
    foresee_way(&c->tf, facts);
    if (!is_reachable(c, facts, ""))
        return;
    tf_way_aim(l, facts);
    bool is_plain_first = facts->mail != TF_MAIL_NONE && l->client_tls != TF_CLIENT_TLS_IMPLICIT;
    if (is_plain_first && !q->flight && !explain_plain(c, facts) && facts->must_terminate)
        return; /* its client never gets to a hello */
    explain_tls(c, l, facts, q->flight != NULL);
    if (l->kind == TF_KIND_CONNECT && facts->mail == TF_MAIL_NONE && !q->flight)
        explain_http(c, facts);
}

/* TLS straight in: a client that the floor refuses never gets to the checks of where it goes. */
static void explain_sni(const struct conf *c, const struct question *q, const struct tf_listener *l,
                        struct tf_facts *facts)
{
    char port[32];
    set_sni_target(facts, q, l->port);
    if (!facts->has_target) {
        explain_no_target(c, facts);
        return;
    }
    foresee_way(&c->tf, facts);
    explain_tls(c, l, facts, q->flight != NULL);
    snprintf(port, sizeof port, "%u (the listener's): ", l->port);
    if (facts->verdict != TF_VERDICT_BLOCK)
        is_reachable(c, facts, port);
}

/* To one server, whatever --dest says. */
static void explain_forward(const struct conf *c, const struct question *q, const struct tf_listener *l,
                            struct tf_facts *facts)
{
    char port[32];
    printf("  %-12s %s, whatever --dest says\n", "upstream", facts->target.host);
    if (l->protocol != TF_PROTOCOL_HTTP) {
        explain_connect(c, q, l, facts);
        return;
    }
    foresee_way(&c->tf, facts);
    snprintf(port, sizeof port, "%u (the upstream's): ", facts->target.port);
    if (is_reachable(c, facts, port))
        explain_http(c, facts);
}

/* scratch: [limits] hello_bytes, where there is a flight. */
static void explain_listener(const struct conf *c, const struct question *q, const struct tf_listener *l,
                             uint8_t *scratch)
{
    struct tf_facts facts = {
        .source = q->client, .listener = l->name, .has_target = true, .target = q->target};

    tf_way_begin(l, &facts);
    print_listener(l);
    if (!explain_check("source", "", tf_access_source(&c->tf.access, &q->client)))
        return;
    if (l->users[0])
        printf("  %-12s needed (users = %s)\n", "login", l->users);
    if (q->flight && (l->kind != TF_KIND_FORWARD || l->protocol != TF_PROTOCOL_HTTP))
        scan(c, q, scratch, &facts);
    if (facts.has_hello) {
        print_hello(&facts.hello, l->kind == TF_KIND_SNI);
        note_name(&facts);
    }
    switch (l->kind) {
    case TF_KIND_CONNECT:
    case TF_KIND_SOCKS5:
    case TF_KIND_TRANSPARENT:
        explain_connect(c, q, l, &facts);
        break;
    case TF_KIND_SNI:
        explain_sni(c, q, l, &facts);
        break;
    case TF_KIND_FORWARD:
        explain_forward(c, q, l, &facts);
        break;
    }
}

static int explain(const struct conf *c, const struct question *q)
{
    uint8_t *scratch = q->flight ? malloc(c->tf.limits.hello_bytes) : NULL;
    bool any = false;

    if (q->flight && !scratch) {
        fprintf(stderr, "tlsfloor explain: out of memory\n");
        return FINDING;
    }
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next) {
        if (q->listener && strcmp(l->name, q->listener) != 0)
            continue;
        explain_listener(c, q, l, scratch);
        any = true;
    }
    free(scratch);
    if (any)
        return FINE;
    fprintf(stderr, "tlsfloor explain: there is no listener '%s' in %s\n", q->listener, c->file);
    return USAGE;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor explain " EXPLAIN_ARGUMENTS "\n");
    return code;
}

static bool parse_client(const char *text, struct question *q)
{
    q->has_client = tf_addr_parse(text, strlen(text), &q->client);
    if (!q->has_client)
        fprintf(stderr, "tlsfloor explain: --client '%s' is no IP address\n", text);
    return q->has_client;
}

static bool parse_dest(const char *text, struct question *q)
{
    enum tf_host_error e = tf_authority_parse(text, strlen(text), 443, &q->target);
    q->has_target = e == TF_HOST_OK;
    if (!q->has_target)
        fprintf(stderr, "tlsfloor explain: --dest '%s' is no HOST:PORT: %s\n", text, tf_host_error_text(e));
    return q->has_target;
}

/* The exit code, if that is all. */
static int parse(int argc, char **argv, struct question *q)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"client", required_argument, NULL, 's'},
        {"dest", required_argument, NULL, 'd'},
        {"listener", required_argument, NULL, 'l'},
        {"hello", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            q->file = optarg;
            break;
        case 's':
            if (!parse_client(optarg, q))
                return usage(stderr, USAGE);
            break;
        case 'd':
            if (!parse_dest(optarg, q))
                return usage(stderr, USAGE);
            break;
        case 'l':
            q->listener = optarg;
            break;
        case 'f':
            q->hello_file = optarg;
            break;
        case 'h':
            return usage(stdout, FINE);
        default: /* getopt has said what is wrong */
            return usage(stderr, USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tlsfloor explain: '%s' is not expected\n", argv[optind]);
        return usage(stderr, USAGE);
    }
    if (!q->has_client || !q->has_target) {
        fprintf(stderr, "tlsfloor explain: --client and --dest are needed\n");
        return usage(stderr, USAGE);
    }
    return GO_ON;
}

int explain_main(int argc, char **argv)
{
    struct question q = {.file = conf_default_file()};
    int code = parse(argc, argv, &q);
    if (code != GO_ON)
        return code;

    struct conf *c = read_flight(&q) ? conf_load(q.file, stderr) : NULL;
    code = c ? explain(c, &q) : FINDING;
    conf_unref(c);
    free(q.flight);
    return code;
}
