/* The status as JSON; see status.h. */
#include "status.h"

#include "../lib/json_fields.h"
#include "certificate.h"
#include "inventory.h"
#include "tls_verdict.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 32768 }; /* enough for nearly all; twice as much is tried until it is enough */

static const char *const kind_names[] = {
    [TF_KIND_CONNECT] = "connect",         [TF_KIND_SNI] = "sni",
    [TF_KIND_FORWARD] = "forward",         [TF_KIND_SOCKS5] = "socks5",
    [TF_KIND_TRANSPARENT] = "transparent",
};

static const char *const protocol_names[] = {
    [TF_PROTOCOL_TLS] = "tls",   [TF_PROTOCOL_HTTP] = "http", [TF_PROTOCOL_SMTP] = "smtp",
    [TF_PROTOCOL_IMAP] = "imap", [TF_PROTOCOL_POP3] = "pop3",
};

/* --- values --- */

/* Whole days from one time to a later one; below 0 where it is earlier. */
static void put_days(struct tf_json *j, const char *key, int64_t from_s, int64_t to_s)
{
    tf_json_i64(j, key, tf_day_of(to_s) - tf_day_of(from_s));
}

static void put_address(struct tf_json *j, const char *key, const struct tf_addr *address)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_addr_port(&w, address);
    tf_json_bytes(j, key, text, w.len);
}

/* --- parts --- */

static void put_listener(struct tf_writer *w, const struct bound *b)
{
    const struct tf_listener *l = b->listener;
    char upstream[TF_AUTHORITY_MAX + 1];
    struct tf_writer u = tf_writer_of(upstream, sizeof upstream);
    struct tf_json j = tf_json_open(w);
    tf_json_text(&j, "name", l->name);
    put_address(&j, "address", &b->actual);
    tf_json_text(&j, "kind", kind_names[l->kind]);
    tf_json_text(&j, "protocol", l->kind == TF_KIND_FORWARD ? protocol_names[l->protocol] : "");
    if (l->upstream.host[0] != '\0')
        tf_put_authority(&u, &l->upstream, 0);
    tf_json_bytes(&j, "upstream", upstream, u.len);
    tf_json_bool(&j, "tls", l->tls);
    tf_json_close(&j);
}

static void put_listeners(struct tf_json *j, const struct sockets *sockets)
{
    tf_json_key(j, "listeners");
    tf_put_char(j->w, '[');
    for (size_t i = 0; i < sockets->count; i++) {
        if (i > 0)
            tf_put_char(j->w, ',');
        put_listener(j->w, &sockets->list[i]);
    }
    tf_put_char(j->w, ']');
}

static void put_endpoints(struct tf_json *j, const struct endpoints *e, int64_t now_s)
{
    struct tf_json o = tf_json_object(j, "endpoints");
    tf_json_text(&o, "origin", e->m365.origin);
    tf_json_u64(&o, "sets", e->m365.set_count);
    tf_json_u64(&o, "names", e->m365.entry_count);
    if (e->as_of_s != 0) {
        tf_json_day(&o, "as_of", e->as_of_s);
        put_days(&o, "age_days", e->as_of_s, now_s);
    } else {
        tf_json_null(&o, "as_of");
        tf_json_null(&o, "age_days");
    }
    tf_json_close(&o);
}

/* null: nobody is upgraded. */
static void put_ca(struct tf_json *j, const struct ca *ca, int64_t now_s)
{
    if (ca == NULL) {
        tf_json_null(j, "ca");
        return;
    }
    const X509 *x = ca_certificate(ca);
    int64_t until_s = certificate_seconds(X509_get0_notAfter(x));
    char subject[1024];
    struct tf_writer w = tf_writer_of(subject, sizeof subject);
    tls_put_subject(&w, X509_get_subject_name(x));
    struct tf_json o = tf_json_object(j, "ca");
    tf_json_bytes(&o, "subject", subject, w.len);
    tf_json_time(&o, "not_after", until_s * 1000000);
    put_days(&o, "days_left", now_s, until_s);
    tf_json_close(&o);
}

static void put_log(struct tf_json *j, const char *name, const char *sink, uint64_t written, uint64_t dropped)
{
    struct tf_json o = tf_json_object(j, name);
    tf_json_text(&o, "sink", sink);
    tf_json_u64(&o, "written", written);
    tf_json_u64(&o, "dropped", dropped);
    tf_json_close(&o);
}

static void put_logs(struct tf_json *j, const struct tf_conf *tf, const struct totals *t)
{
    struct tf_json o = tf_json_object(j, "logs");
    put_log(&o, "block", tf->log.block, t->values[COUNTER_LOG_WRITTEN],
            totals_sum(t, COUNTER_LOG_DROPPED, COUNTER_LOG_DROPPED_OTHER + 1));
    put_log(&o, "access", tf->log.access, t->values[COUNTER_ACCESS_LOG_WRITTEN],
            t->values[COUNTER_ACCESS_LOG_DROPPED]);
    tf_json_close(&o);
}

/* null: it is off. */
static void put_inventory(struct tf_json *j, const struct tf_conf *tf, struct inventory *inventory)
{
    if (inventory == NULL) {
        tf_json_null(j, "inventory");
        return;
    }
    size_t clients = roster_count(inventory_lock(inventory));
    inventory_unlock(inventory);
    struct tf_json o = tf_json_object(j, "inventory");
    tf_json_text(&o, "file", tf->inventory.file);
    tf_json_u64(&o, "clients", clients);
    tf_json_u64(&o, "clients_max", tf->limits.inventory_clients);
    tf_json_u64(&o, "dropped", inventory_dropped(inventory));
    tf_json_bool(&o, "failing", inventory_is_failing(inventory));
    tf_json_close(&o);
}

static uint64_t reasons_sum(const struct totals *t, enum reason_kind kind)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TF_REASON_COUNT; i++)
        sum += t->reasons[kind][i];
    return sum;
}

static void put_totals(struct tf_json *j, const struct totals *t)
{
    struct tf_json o = tf_json_object(j, "totals");
    tf_json_u64(&o, "connections", totals_sum(t, COUNTER_SESSIONS_CONNECT, COUNTER_SESSIONS_ACTIVE));
    tf_json_u64(&o, "active", t->values[COUNTER_SESSIONS_ACTIVE]);
    tf_json_u64(&o, "tunnels", t->values[COUNTER_TUNNELS]);
    tf_json_u64(&o, "upgraded", totals_sum(t, COUNTER_UPGRADES_PLAIN, COUNTER_UPGRADED_TO_12));
    tf_json_u64(&o, "blocked", reasons_sum(t, REASON_BLOCKED));
    tf_json_u64(&o, "would_block", reasons_sum(t, REASON_WOULD_BLOCK));
    tf_json_u64(&o, "errors", reasons_sum(t, REASON_ERROR));
    tf_json_close(&o);
}

static void put_status(struct tf_writer *w, const struct status *s)
{
    const struct conf *conf = s->stage->conf;
    const struct tf_policy *policy = &conf->tf.policy;
    const struct ca *ca = s->stage->tls != NULL ? tls_ca(s->stage->tls) : NULL;
    int64_t now_s = s->now_us / 1000000;
    struct tf_json j = tf_json_open(w);
    tf_json_time(&j, "generated", s->now_us);
    tf_json_time(&j, "started", s->started_us);
    tf_json_text(&j, "version", TLSFLOOR_VERSION);
    tf_json_text(&j, "file", conf->file);
    tf_json_bool(&j, "draining", s->is_draining);
    tf_json_text(&j, "mode", policy->monitor ? "monitor" : "enforce");
    tf_json_version(&j, "floor", policy->floor);
    put_address(&j, "admin", s->admin);
    put_listeners(&j, &s->stage->sockets);
    put_endpoints(&j, conf->endpoints, now_s);
    put_ca(&j, ca, now_s);
    put_logs(&j, &conf->tf, s->totals);
    put_inventory(&j, &conf->tf, s->stage->inventory);
    put_totals(&j, s->totals);
    tf_json_close(&j);
    tf_put_char(w, '\n');
}

bool status_write(FILE *to, const struct status *s)
{
    bool is_written = false;
    for (size_t room = FIRST_ROOM; !is_written; room *= 2) {
        char *text = malloc(room);
        if (text == NULL)
            return false;
        struct tf_writer w = tf_writer_of(text, room);
        put_status(&w, s);
        is_written = !w.full;
        if (is_written)
            fwrite(text, 1, w.len, to);
        free(text);
    }
    return true;
}
