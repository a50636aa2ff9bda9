/* A parent proxy: CONNECT (RFC 9110 9.3.6) and its answer, Basic logins
 * (RFC 7617), and whom it is not asked for; see parent.h. Heads are taken
 * apart by http_head.c. */
#include "parent.h"

#include "base64.h"
#include "http_head.h"
#include "sasl.h"

#include <string.h>

bool tf_parent_login(const char *user, const char *password, char *out, size_t size)
{
    char text[2 * TF_USER_MAX];
    struct tf_writer plain = tf_writer_of(text, sizeof text), w = tf_writer_of(out, size);
    if (user[0] != '\0') {
        tf_put_text(&plain, user);
        tf_put_char(&plain, ':');
        tf_put_text(&plain, password);
    }
    tf_put_base64(&w, text, plain.len);
    tf_put_char(&w, '\0');
    tf_wipe(text, sizeof text);
    return !plain.full && !w.full;
}

void tf_put_parent_request(struct tf_writer *w, const struct tf_target *target, const char *login)
{
    tf_put_text(w, "CONNECT ");
    tf_put_authority(w, target, 0);
    tf_put_text(w, " HTTP/1.1\r\nHost: ");
    tf_put_authority(w, target, 0);
    if (login[0] != '\0') {
        tf_put_text(w, "\r\nProxy-Authorization: Basic ");
        tf_put_text(w, login);
    }
    tf_put_text(w, "\r\n\r\n");
}

static enum tf_parse fail(struct tf_facts *facts, enum tf_reason reason, const char *detail)
{
    facts->reason = reason;
    facts->detail = detail;
    return TF_PARSE_BAD;
}

/* The end came before the head was whole. */
static enum tf_parse end_of_parent(struct tf_span in, struct tf_facts *facts)
{
    return in.n == 0 ? fail(facts, TF_REASON_PARENT_REFUSED, "it closed the connection without an answer")
                     : fail(facts, TF_REASON_PARENT_MALFORMED, "it closed the connection within its answer");
}

/* Interim responses (RFC 9110 15.2) are passed by. */
enum tf_parse tf_parent_response(struct tf_span in, bool eof, size_t *used, struct tf_facts *facts)
{
    struct tf_http_head head;
    *used = 0;
    for (;;) {
        struct tf_span rest = {in.n > 0 ? in.p + *used : NULL, in.n - *used};
        size_t size = 0;
        switch (tf_http_scan_head(rest, &size)) {
        case TF_HTTP_MORE:
            return eof ? end_of_parent(rest, facts) : TF_PARSE_MORE;
        case TF_HTTP_BAD:
            return fail(facts, TF_REASON_PARENT_MALFORMED, "a byte in the head has no place there");
        case TF_HTTP_DONE:
            break;
        }
        const char *error = tf_http_parse_response((struct tf_span){rest.p, size}, &head);
        if (error != NULL)
            return fail(facts, TF_REASON_PARENT_MALFORMED, error);
        if (head.status >= 300 || head.status == 101)
            return fail(facts, head.status == 407 ? TF_REASON_PARENT_LOGIN : TF_REASON_PARENT_REFUSED, NULL);
        *used += size;
        if (head.status >= 200)
            return TF_PARSE_DONE;
    }
}

struct tf_text tf_parent_status_line(struct tf_span in, size_t used)
{
    struct tf_text rest = {(const char *)in.p + used, in.n - used};
    return tf_text_trim(tf_text_take(&rest, '\n'));
}

static bool leads_to(const struct tf_destination *d, const struct tf_m365 *m365,
                     const struct tf_target *target)
{
    size_t n = strlen(target->host);
    switch (d->kind) {
    case TF_TO_NAME:
        return tf_host_matches(d->pattern, target->host, n);
    case TF_TO_BLOCK:
        return tf_cidr_has(&d->cidr, &target->addr); /* of no family, if it is a name */
    case TF_TO_M365:
        return m365 != NULL && tf_m365_find(m365, target->host, target->port, &d->m365) != NULL;
    }
    return false;
}

bool tf_parent_is_bypassed(const struct tf_destination *bypass, size_t n, const struct tf_m365 *m365,
                           const struct tf_target *target)
{
    for (size_t i = 0; i < n; i++)
        if (leads_to(&bypass[i], m365, target))
            return true;
    return false;
}

bool tf_parent_takes(const struct tf_conf *conf, const struct tf_target *target)
{
    return conf->parent.proxy.host[0] != '\0' &&
           !tf_parent_is_bypassed(conf->parent.bypass, conf->parent.bypass_count, conf->policy.m365, target);
}
