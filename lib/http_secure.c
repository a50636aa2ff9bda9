/* Translating fields; see http_secure.h. */
#include "http_secure.h"

#include "calendar.h"
#include <string.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

/* scheme "://" authority path-abempty [ "?" query ] [ "#" fragment ]   (RFC 3986 3)
 * An origin (RFC 6454 7) ends with the authority. */
struct url {
    bool is_https;
    struct tf_target target;
    struct tf_text rest; /* behind the authority */
};

static bool read_url(struct tf_text text, struct url *url)
{
    struct tf_text rest = text;
    struct tf_text scheme = tf_text_take(&rest, ':');
    url->is_https = tf_text_is_word(scheme, "https");
    if (!url->is_https && !tf_text_is_word(scheme, "http"))
        return false;
    if (rest.n < 2 || memcmp(rest.p, "//", 2) != 0)
        return false;
    struct tf_text authority = {rest.p + 2, 0};
    size_t left = rest.n - 2;
    while (authority.n < left && memchr("/?#\"' ;,", authority.p[authority.n], 8) == NULL)
        authority.n++;
    url->rest = (struct tf_text){authority.p + authority.n, left - authority.n};
    return tf_authority_parse(authority.p, authority.n, url->is_https ? HTTPS_PORT : HTTP_PORT,
                              &url->target) == TF_HOST_OK;
}

static bool is_same_place(const struct tf_target *a, const struct tf_target *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static bool is_upgraded(const struct tf_http_sides *sides)
{
    return sides->facts->verdict == TF_VERDICT_UPGRADE && !sides->is_within;
}

bool tf_http_sides_differ(const struct tf_http_sides *sides)
{
    return sides->is_forward || is_upgraded(sides);
}

/* An upgraded request for port 80 goes to 443. */
static struct tf_target with_port(const struct tf_target *target, uint16_t from, uint16_t to)
{
    struct tf_target other = *target;
    if (other.port == from)
        other.port = other.addr.port = to;
    return other;
}

/* Whether a plain request for this place would be upgraded. That this exchange's was is known already; the
 * address that its rule may have gone by is not, for others. */
static bool would_be_upgraded(const struct tf_http_sides *sides, const struct tf_target *plain)
{
    const struct tf_facts *facts = sides->facts;
    struct tf_target secure = with_port(plain, HTTP_PORT, HTTPS_PORT);
    int32_t today = tf_day_of(facts->started_us / 1000000);
    return is_same_place(&secure, &facts->target) || tf_policy_upgrades(sides->policy, facts, plain, today);
}

/* The field with another address in the place of `old`, which is the last part of its value. */
static void put_translated(struct tf_writer *w, const struct tf_http_field *field, struct tf_text old,
                           const struct url *url)
{
    tf_put(w, field->line.p, (size_t)(old.p - field->line.p));
    tf_put_text(w, url->is_https ? "https://" : "http://");
    tf_put_authority(w, &url->target, url->is_https ? HTTPS_PORT : HTTP_PORT);
    tf_put(w, url->rest.p, url->rest.n);
    tf_put_text(w, "\r\n");
}

/* Whether the client of a `forward` listener means the server by this, be it by its true name. */
static bool means_server(const struct tf_http_sides *sides, const struct tf_target *named)
{
    struct tf_target called;
    bool is_called = sides->host.n > 0 &&
                     tf_authority_parse(sides->host.p, sides->host.n, HTTP_PORT, &called) == TF_HOST_OK &&
                     is_same_place(named, &called);
    struct tf_target secure = with_port(named, HTTP_PORT, HTTPS_PORT);
    return is_called || is_same_place(is_upgraded(sides) ? &secure : named, &sides->facts->target);
}

/* An address that the client knows as http, and the server compares with its own (CSRF, RFC 4918 10.3). */
static bool put_address_for_server(struct tf_writer *w, struct tf_http_sides *sides,
                                   const struct tf_http_field *field)
{
    struct url url;
    if (sides->translated == TF_HTTP_TRANSLATED_MAX || !read_url(field->value, &url) || url.is_https)
        return false;
    if (sides->is_forward) {
        if (!means_server(sides, &url.target))
            return false;
        url.target = sides->facts->target;
    } else {
        if (!would_be_upgraded(sides, &url.target))
            return false;
        url.target = with_port(&url.target, HTTP_PORT, HTTPS_PORT);
    }
    url.is_https = is_upgraded(sides);
    put_translated(w, field, field->value, &url);
    sides->translated++;
    return true;
}

void tf_http_put_for_server(struct tf_writer *w, struct tf_http_sides *sides,
                            const struct tf_http_field *field)
{
    static const char *const addresses[] = {"Origin", "Referer", "Destination", NULL};
    if (is_upgraded(sides) && tf_text_is_word(field->name, "Upgrade-Insecure-Requests"))
        return;
    if (sides->tenants != NULL && tf_tenants_own(field->name))
        return;
    if (!tf_http_is_one_of(field->name, addresses) || !tf_http_sides_differ(sides) ||
        !put_address_for_server(w, sides, field))
        tf_put(w, field->line.p, field->line.n);
}

/* Without scheme and authority: whatever the client calls the gateway, it stays with it (RFC 9110 10.2.2). A
 * path that begins with two slashes would be taken for another authority. */
static void put_relative(struct tf_writer *w, const struct tf_http_field *field, struct tf_text old,
                         struct tf_text rest)
{
    tf_put(w, field->line.p, (size_t)(old.p - field->line.p));
    if (rest.n > 1 && rest.p[0] == '/' && (rest.p[1] == '/' || rest.p[1] == '\\'))
        tf_put_text(w, "/.");
    else if (rest.n == 0 || rest.p[0] != '/')
        tf_put_char(w, '/');
    tf_put(w, rest.p, rest.n);
    tf_put_text(w, "\r\n");
}

/* An address that the client may go to next; `text` is the value or the end of it. */
static bool put_address_for_client(struct tf_writer *w, const struct tf_http_sides *sides,
                                   const struct tf_http_field *field, struct tf_text text)
{
    struct url url;
    if (!read_url(text, &url))
        return false;
    if (sides->is_forward) {
        if (url.is_https ? !is_upgraded(sides) || !is_same_place(&url.target, &sides->facts->target)
                         : !means_server(sides, &url.target))
            return false;
        put_relative(w, field, text, url.rest);
        return true;
    }
    /* An http address on port 80 is one on 443 outside, so there is none for https on port 80. */
    if (!url.is_https || url.target.port == HTTP_PORT)
        return false;
    url.target = with_port(&url.target, HTTPS_PORT, HTTP_PORT);
    url.is_https = false;
    if (!would_be_upgraded(sides, &url.target))
        return false;
    put_translated(w, field, text, &url);
    return true;
}

/* Refresh = seconds ";" "url" "=" address, perhaps in quotes   (HTML 15.3.4) */
static bool put_refresh(struct tf_writer *w, const struct tf_http_sides *sides,
                        const struct tf_http_field *field)
{
    struct tf_text address = field->value;
    tf_text_take(&address, ';');
    if (address.p == NULL)
        return false;
    struct tf_text word = tf_text_trim(tf_text_take(&address, '='));
    if (address.p == NULL || !tf_text_is_word(word, "url"))
        return false;
    address = tf_text_trim(address);
    if (address.n > 0 && (address.p[0] == '"' || address.p[0] == '\''))
        address = (struct tf_text){address.p + 1, address.n - 1};
    return put_address_for_client(w, sides, field, address);
}

/* Whether the client can make use of a cookie's attribute. `SameSite=None` is refused without `Secure`, and
 * so is `Partitioned`; a domain cannot be one of the listener's name. */
static bool is_kept_attribute(const struct tf_http_sides *sides, struct tf_text attribute)
{
    static const char *const secure[] = {"Secure", "Partitioned", NULL};
    struct tf_text value = attribute;
    struct tf_text name = tf_text_trim(tf_text_take(&value, '='));
    if (sides->is_forward && tf_text_is_word(name, "Domain"))
        return false;
    if (!is_upgraded(sides))
        return true;
    bool is_none =
        tf_text_is_word(name, "SameSite") && value.p != NULL && tf_text_is_word(tf_text_trim(value), "None");
    return !is_none && !tf_http_is_one_of(name, secure);
}

/* set-cookie-string = cookie-pair *( ";" SP cookie-av )   (RFC 6265 4.1.1) */
static void put_cookie(struct tf_writer *w, const struct tf_http_sides *sides,
                       const struct tf_http_field *field)
{
    struct tf_text rest = field->value;
    struct tf_text pair = tf_text_take(&rest, ';');
    tf_put(w, field->line.p, (size_t)(field->value.p - field->line.p));
    tf_put(w, pair.p, pair.n);
    while (rest.p != NULL) {
        struct tf_text attribute = tf_text_take(&rest, ';');
        if (!is_kept_attribute(sides, attribute))
            continue;
        tf_put_char(w, ';');
        tf_put(w, attribute.p, attribute.n);
    }
    tf_put_text(w, "\r\n");
}

/* serialized-policy = directive *( ";" directive ), and a list of them with commas   (CSP 3, 2.2)
 * Without the directive that turns every http address of a page into https. */
static void put_content_policy(struct tf_writer *w, const struct tf_http_field *field)
{
    const char *p = field->value.p, *end = p + field->value.n;
    tf_put(w, field->line.p, (size_t)(p - field->line.p));
    while (p < end) {
        const char *from = p;
        while (p < end && *p != ';' && *p != ',')
            p++;
        struct tf_text directive = {from, (size_t)(p - from)};
        bool is_kept = !tf_text_is_word(tf_text_trim(directive), "upgrade-insecure-requests");
        if (is_kept)
            tf_put(w, directive.p, directive.n);
        if (p < end && (is_kept || *p == ','))
            tf_put_char(w, *p);
        p += p < end;
    }
    tf_put_text(w, "\r\n");
}

/* False: the field is to be sent as it is. */
static bool translate_for_client(struct tf_writer *w, const struct tf_http_sides *sides,
                                 const struct tf_http_field *field)
{
    static const char *const addresses[] = {"Location", "Content-Location", NULL};
    static const char *const meaningless[] = {"Strict-Transport-Security", "Public-Key-Pins",
                                              "Public-Key-Pins-Report-Only", "Alt-Svc", NULL};
    if (tf_http_is_one_of(field->name, addresses))
        return put_address_for_client(w, sides, field, field->value);
    if (tf_text_is_word(field->name, "Refresh"))
        return put_refresh(w, sides, field);
    if (tf_text_is_word(field->name, "Set-Cookie")) {
        put_cookie(w, sides, field);
        return true;
    }
    if (!is_upgraded(sides))
        return false;
    if (tf_text_is_word(field->name, "Content-Security-Policy")) {
        put_content_policy(w, field);
        return true;
    }
    /* It must be the Origin that the client has sent, and that was translated on its way. */
    if (tf_text_is_word(field->name, "Access-Control-Allow-Origin") && !sides->is_forward)
        return put_address_for_client(w, sides, field, field->value);
    return tf_http_is_one_of(field->name, meaningless);
}

void tf_http_put_for_client(struct tf_writer *w, const struct tf_http_sides *sides,
                            const struct tf_http_field *field)
{
    if (!tf_http_sides_differ(sides) || !translate_for_client(w, sides, field))
        tf_put(w, field->line.p, field->line.n);
}
