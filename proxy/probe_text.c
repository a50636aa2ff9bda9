/* The probe's result for people: a label, and lines beside it. */
#include "probe_parts.h"

#include "../lib/suites.h"
#include <string.h>

static void put_starttls(struct tf_writer *w, const struct probe *p)
{
    if (p->starttls == PROBE_AT_ONCE) {
        tf_put_text(w, "TLS at once");
        return;
    }
    tf_put_text(w, "STARTTLS of ");
    tf_put_text(w, probe_starttls_name(p->starttls));
}

static void put_label(struct tf_writer *w, const char *label)
{
    enum { WIDTH = 17 };
    tf_put_text(w, label);
    for (size_t n = strlen(label); n < WIDTH; n++)
        tf_put_char(w, ' ');
}

static void put_row(struct tf_writer *w, const char *label, const char *value)
{
    put_label(w, label);
    tf_put_text(w, value);
    tf_put_char(w, '\n');
}

static void put_suites(struct tf_writer *w, const struct probe_version *v)
{
    tf_put_text(w, v->suite_count < 2 ? ""
                   : v->has_order     ? "; the server's order counts"
                                      : "; the client's order counts");
    tf_put_text(w, v->is_whole ? "\n" : "; there may be more suites\n");
    for (size_t i = 0; i < v->suite_count; i++) {
        put_label(w, "");
        tf_put_suite(w, v->suites[i]);
        tf_put_char(w, '\n');
    }
}

static void put_groups(struct tf_writer *w, const struct probe_version *v)
{
    put_label(w, "  groups");
    for (size_t i = 0; i < v->group_count; i++) {
        tf_put_text(w, i > 0 ? ", " : "");
        tf_put_text(w, v->groups[i]);
    }
    tf_put_text(w, v->group_count == 0 ? "none\n" : "\n");
}

static void put_session(struct tf_writer *w, const struct probe_version *v)
{
    if (!v->has_session) {
        put_row(w, "  session", v->no_session);
        return;
    }
    put_groups(w, v);
    put_row(w, "  key", v->key);
    put_row(w, "  resumption",
            v->resumes_ticket && v->resumes_id ? "by ticket and by session ID"
            : v->resumes_ticket                ? "by ticket"
            : v->resumes_id                    ? "by session ID"
                                               : "no");
    if (v->version < TF_TLS13)
        put_row(w, "  renegotiation",
                v->renegotiates_securely ? "secure (RFC 5746)" : "not secure: lacks RFC 5746");
}

static void put_version(struct tf_writer *w, const struct probe_version *v)
{
    static const char *const outcomes[] = {
        [PROBE_TAKEN] = "taken",         [PROBE_REFUSED] = "refused: ",       [PROBE_SILENT] = "not taken: ",
        [PROBE_STRANGE] = "not taken: ", [PROBE_UNREACHABLE] = "not known: ",
    };
    char name[32];
    struct tf_writer label = tf_writer_of(name, sizeof name);
    tf_put_version(&label, v->version);
    tf_put_char(&label, '\0');
    put_label(w, name);
    tf_put_text(w, outcomes[v->outcome]);
    if (v->outcome == PROBE_TAKEN) {
        put_suites(w, v);
        put_session(w, v);
    } else {
        tf_put_text(w, v->why);
        tf_put_char(w, '\n');
    }
}

static void put_certificate(struct tf_writer *w, const struct probe_certificate *c, const char *label)
{
    put_row(w, label, c->subject);
    put_row(w, "  issuer", c->issuer);
    put_label(w, "  valid");
    tf_put_text(w, c->first_day);
    tf_put_text(w, " to ");
    tf_put_text(w, c->last_day);
    tf_put_text(w, c->days_left < 0 ? ", expired days ago: " : ", days left: ");
    tf_put_i64(w, c->days_left < 0 ? -c->days_left : c->days_left);
    tf_put_char(w, '\n');
    put_label(w, "  key");
    tf_put_text(w, c->key);
    tf_put_text(w, ", signed with ");
    tf_put_text(w, c->signature);
    tf_put_char(w, '\n');
}

static void put_verification(struct tf_writer *w, const struct probe *p, const struct probe_result *r)
{
    put_label(w, "verifies");
    tf_put_text(w, r->verifies ? "yes, for " : "no: ");
    tf_put_text(w, r->verifies ? p->asked.host : r->verify_why);
    tf_put_char(w, '\n');
}

void probe_put_text(struct tf_writer *w, const struct probe *p, const struct probe_result *r)
{
    if (!r->address[0]) {
        probe_put_verdict(w, p, r);
        tf_put_char(w, '\n');
        return;
    }
    put_label(w, "server");
    probe_put_asked(w, p);
    tf_put_text(w, " (");
    tf_put_text(w, r->address);
    tf_put_text(w, "), ");
    put_starttls(w, p);
    tf_put_char(w, '\n');
    for (size_t i = 0; i < PROBE_VERSIONS; i++)
        put_version(w, &r->versions[i]);
    if (r->best && r->best->has_session)
        put_row(w, "ALPN",
                r->alpn_h2 && r->alpn_http11 ? "h2, http/1.1"
                : r->alpn_h2                 ? "h2"
                : r->alpn_http11             ? "http/1.1"
                                             : "none");
    for (size_t i = 0; i < r->chain_count; i++)
        put_certificate(w, &r->chain[i], i == 0 ? "certificate" : "above it");
    if (r->chain_count > 0)
        put_verification(w, p, r);
    put_label(w, "outside leg");
    probe_put_outside(w, p, r);
    tf_put_char(w, '\n');
    put_label(w, "verdict");
    probe_put_verdict(w, p, r);
    tf_put_char(w, '\n');
}
