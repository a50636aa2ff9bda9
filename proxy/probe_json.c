/* The probe's result for programs: one JSON object. */
#include "probe_parts.h"

#include "../lib/json_fields.h"
#include "../lib/suites.h"
#include <string.h>

/* Versions are written as `tlsfloor inspect` writes them. */
static void put_version_key(struct tf_json *j, const char *key, uint16_t version)
{
    char text[32];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_version(&w, version);
    tf_json_bytes(j, key, text, w.len);
}

static void put_suites(struct tf_json *j, const struct probe_version *v)
{
    tf_json_key(j, "suites");
    tf_put_char(j->w, '[');
    for (size_t i = 0; i < v->suite_count; i++) {
        tf_put_text(j->w, i > 0 ? ",\"" : "\"");
        tf_put_suite(j->w, v->suites[i]);
        tf_put_char(j->w, '"');
    }
    tf_put_char(j->w, ']');
}

static void put_texts(struct tf_json *j, const char *key, const char *const *texts, size_t n)
{
    tf_json_key(j, key);
    tf_put_char(j->w, '[');
    for (size_t i = 0; i < n; i++) {
        tf_put_text(j->w, i > 0 ? "," : "");
        tf_put_json_string(j->w, texts[i], strlen(texts[i]));
    }
    tf_put_char(j->w, ']');
}

static void put_session(struct tf_json *j, const struct probe_version *v)
{
    if (!v->has_session) {
        tf_json_text(j, "no_session", v->no_session);
        return;
    }
    put_texts(j, "groups", v->groups, v->group_count);
    tf_json_text(j, "key", v->key);
    tf_json_bool(j, "resumes_by_ticket", v->resumes_ticket);
    tf_json_bool(j, "resumes_by_session_id", v->resumes_id);
    if (v->version < TF_TLS13)
        tf_json_bool(j, "secure_renegotiation", v->renegotiates_securely);
}

static void put_version(struct tf_writer *w, const struct probe_version *v)
{
    struct tf_json j = tf_json_open(w);
    put_version_key(&j, "version", v->version);
    tf_json_bool(&j, "taken", v->outcome == PROBE_TAKEN);
    if (v->outcome == PROBE_TAKEN) {
        put_suites(&j, v);
        tf_json_bool(&j, "all_suites_found", v->is_whole);
        tf_json_bool(&j, "server_order", v->has_order);
        put_session(&j, v);
    } else {
        tf_json_text(&j, "why", v->why);
    }
    tf_json_close(&j);
}

static void put_versions(struct tf_json *j, const struct probe_result *r)
{
    tf_json_key(j, "versions");
    tf_put_char(j->w, '[');
    for (size_t i = 0; i < PROBE_VERSIONS; i++) {
        tf_put_text(j->w, i > 0 ? "," : "");
        put_version(j->w, &r->versions[i]);
    }
    tf_put_char(j->w, ']');
}

static void put_alpn(struct tf_json *j, const struct probe_result *r)
{
    const char *protocols[2];
    size_t n = 0;
    if (r->alpn_h2)
        protocols[n++] = "h2";
    if (r->alpn_http11)
        protocols[n++] = "http/1.1";
    put_texts(j, "alpn", protocols, n);
}

static void put_certificate(struct tf_writer *w, const struct probe_certificate *c)
{
    struct tf_json j = tf_json_open(w);
    tf_json_text(&j, "subject", c->subject);
    tf_json_text(&j, "issuer", c->issuer);
    tf_json_text(&j, "first_day", c->first_day);
    tf_json_text(&j, "last_day", c->last_day);
    tf_json_i64(&j, "days_left", c->days_left);
    tf_json_text(&j, "key", c->key);
    tf_json_text(&j, "signature", c->signature);
    tf_json_close(&j);
}

static void put_chain(struct tf_json *j, const struct probe_result *r)
{
    tf_json_key(j, "chain");
    tf_put_char(j->w, '[');
    for (size_t i = 0; i < r->chain_count; i++) {
        tf_put_text(j->w, i > 0 ? "," : "");
        put_certificate(j->w, &r->chain[i]);
    }
    tf_put_char(j->w, ']');
}

static void put_verification(struct tf_json *j, const struct probe_result *r)
{
    if (r->chain_count == 0)
        return;
    tf_json_bool(j, "verifies", r->verifies);
    if (!r->verifies)
        tf_json_text(j, "verify_why", r->verify_why);
}

static void put_outside(struct tf_json *j, const struct probe_result *r)
{
    struct tf_json o = tf_json_object(j, "outside");
    tf_json_bool(&o, "gets_through", r->outside == TF_REASON_NONE);
    if (r->outside == TF_REASON_NONE) {
        put_version_key(&o, "version", r->leg.version);
        tf_json_suite(&o, "suite", r->leg.cipher);
    } else {
        tf_json_text(&o, "code", tf_reason_info(r->outside)->code);
        tf_json_text(&o, "why", r->outside_why);
    }
    tf_json_close(&o);
}

void probe_put_json(struct tf_writer *w, const struct probe *p, const struct probe_result *r)
{
    char text[2 * PROBE_TEXT_MAX];
    struct tf_writer asked = tf_writer_of(text, sizeof text);
    struct tf_json j = tf_json_open(w);
    probe_put_asked(&asked, p);
    tf_json_bytes(&j, "server", text, asked.len);
    tf_json_text(&j, "address", r->address);
    tf_json_text(&j, "starttls", probe_starttls_name(p->starttls));
    put_version_key(&j, "floor", p->conf->policy.floor);
    if (r->address[0]) {
        put_versions(&j, r);
        put_alpn(&j, r);
        put_chain(&j, r);
        put_verification(&j, r);
        put_outside(&j, r);
    }
    tf_json_bool(&j, "is_fine", !probe_is_finding(p, r));
    struct tf_writer verdict = tf_writer_of(text, sizeof text);
    probe_put_verdict(&verdict, p, r);
    tf_json_bytes(&j, "verdict", text, verdict.len);
    tf_json_close(&j);
    tf_put_char(w, '\n');
}
