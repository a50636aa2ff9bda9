/* Requests to the admin socket; see admin_request.h. llhttp reads them, and
 * this file keeps the little of them that matters: method, target and Host. */
#include "admin_request.h"

#include "../lib/m365.h"
#include <string.h>
#include <strings.h>

static void gather(struct admin_text *t, const char *at, size_t n)
{
    size_t room = sizeof t->p - t->n;
    t->is_cut = t->is_cut || n > room;
    n = n < room ? n : room;
    memcpy(t->p + t->n, at, n);
    t->n += n;
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
    struct admin_request *r = parser->data;
    gather(&r->url, at, n);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t n)
{
    struct admin_request *r = parser->data;
    gather(&r->field, at, n);
    return 0;
}

static int on_field_complete(llhttp_t *parser)
{
    struct admin_request *r = parser->data;
    r->in_host = r->field.n == strlen("host") && strncasecmp(r->field.p, "host", r->field.n) == 0;
    r->hosts += r->in_host;
    r->field.n = 0;
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    struct admin_request *r = parser->data;
    if (r->in_host)
        gather(&r->host, at, n);
    return 0;
}

/* The parser stops here: what follows may be another request, whose method is not this one's. */
static int on_head(llhttp_t *parser)
{
    struct admin_request *r = parser->data;
    r->is_whole = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_url = on_url,
                                           .on_header_field = on_field,
                                           .on_header_field_complete = on_field_complete,
                                           .on_header_value = on_value,
                                           .on_headers_complete = on_head};

void admin_request_init(struct admin_request *r)
{
    *r = (struct admin_request){.received = 0};
    llhttp_init(&r->parser, HTTP_REQUEST, &settings);
    r->parser.data = r;
}

bool admin_request_feed(struct admin_request *r, const char *p, size_t n)
{
    r->received += n;
    enum llhttp_errno rc = llhttp_execute(&r->parser, p, n);
    return r->is_whole || rc != HPE_OK || r->received > ADMIN_REQUEST_MAX;
}

/* A web page can have its own name resolve to our address and then read us through its visitor's browser (DNS
 * rebinding). It cannot make the browser say an address or localhost instead of that name. */
static bool is_host_allowed(const struct admin_request *r, const char *const *hosts, size_t host_count)
{
    struct tf_target target;
    if (r->hosts == 0)
        return r->parser.http_major == 1 && r->parser.http_minor == 0; /* no browser, then */
    if (r->hosts > 1 || tf_authority_parse(r->host.p, r->host.n, 80, &target) != TF_HOST_OK)
        return false;
    return target.is_address || strcmp(target.host, "localhost") == 0 ||
           tf_m365_names_match(hosts, host_count, target.host) != NULL;
}

unsigned admin_request_judge(const struct admin_request *r, const char *const *hosts, size_t host_count,
                             const char **sentence)
{
    if (!r->is_whole && r->received > ADMIN_REQUEST_MAX) {
        *sentence = "the request is too long\n";
        return 431;
    }
    if (!r->is_whole) {
        *sentence = "this is no valid HTTP request\n";
        return 400;
    }
    if (!is_host_allowed(r, hosts, host_count)) {
        *sentence = "ask for this page by IP address, as localhost, or by a name of [admin] hosts\n";
        return 403;
    }
    if (r->parser.method != HTTP_GET && r->parser.method != HTTP_HEAD) {
        *sentence = "only GET and HEAD\n";
        return 405;
    }
    if (r->url.is_cut) {
        *sentence = "the address is too long\n";
        return 414;
    }
    return 200;
}

bool admin_request_is_head(const struct admin_request *r)
{
    return r->is_whole && r->parser.method == HTTP_HEAD;
}

struct tf_text admin_request_path(const struct admin_request *r)
{
    struct tf_text query = {r->url.p, r->url.n};
    return tf_text_take(&query, '?');
}

struct tf_text admin_request_query(const struct admin_request *r)
{
    struct tf_text query = {r->url.p, r->url.n};
    tf_text_take(&query, '?');
    return query;
}
