/* What the probe's findings mean: for the floor, and for those who come
 * through the gateway. */
#include "probe_parts.h"

#include "../lib/suites.h"

static bool is_below(const struct probe *p, const struct probe_version *v)
{
    return !tf_version_passes(&p->conf->policy, v->version);
}

bool probe_is_finding(const struct probe *p, const struct probe_result *r)
{
    return !r->best || is_below(p, r->best) || r->outside != TF_REASON_NONE;
}

void probe_put_asked(struct tf_writer *w, const struct probe *p)
{
    bool brackets = p->asked.is_address && p->asked.addr.family == TF_FAMILY_V6;
    tf_put_text(w, brackets ? "[" : "");
    tf_put_text(w, p->asked.host);
    tf_put_text(w, brackets ? "]:" : ":");
    tf_put_u64(w, p->asked.port);
}

static void put_taken(struct tf_writer *w, const struct probe_result *r)
{
    const char *before = "";
    for (size_t i = 0; i < PROBE_VERSIONS; i++) {
        if (r->versions[i].outcome != PROBE_TAKEN)
            continue;
        tf_put_text(w, before);
        tf_put_version(w, r->versions[i].version);
        before = ", ";
    }
}

/* What clients below the floor see, and then those of the gateway. */
static void put_consequence(struct tf_writer *w, const struct probe *p, const struct probe_result *r)
{
    if (is_below(p, r->best)) {
        tf_put_text(w, " Whatever a client offers, tlsfloor ends its session with the alert protocol_version "
                       "(server-below-floor); the server's owner must switch on TLS 1.2 or 1.3.");
        return;
    }
    tf_put_text(w, is_below(p, r->worst)
                       ? " An old client still gets through to it where nobody stands between; "
                       : " It refuses old clients itself, often in words that they cannot explain; ");
    tf_put_text(
        w, r->outside == TF_REASON_NONE
               ? "at tlsfloor they get the alert protocol_version, or are upgraded where a rule says so."
               : "at tlsfloor they are refused: none can be upgraded, since the outside leg does not get "
                 "through.");
}

void probe_put_verdict(struct tf_writer *w, const struct probe *p, const struct probe_result *r)
{
    probe_put_asked(w, p);
    if (!r->best) {
        const struct probe_version *v = &r->versions[0];
        tf_put_text(w, r->address[0] ? " takes no version of TLS or SSL: " : " cannot be reached: ");
        tf_put_text(w, v->why);
        return;
    }
    tf_put_text(w, is_below(p, r->best) ? " is below the floor of " : " is at or above the floor of ");
    tf_put_version(w, p->conf->policy.floor);
    tf_put_text(w, ": it takes ");
    put_taken(w, r);
    tf_put_char(w, '.');
    put_consequence(w, p, r);
}

void probe_put_outside(struct tf_writer *w, const struct probe *p, const struct probe_result *r)
{
    if (r->outside != TF_REASON_NONE) {
        tf_put_text(w, "does not get through: ");
        tf_put_text(w, tf_reason_info(r->outside)->sentence);
        tf_put_text(w, ": ");
        tf_put_text(w, r->outside_why);
        return;
    }
    tf_put_text(w, "gets through with ");
    tf_put_version(w, r->leg.version);
    tf_put_text(w, ", ");
    tf_put_suite(w, r->leg.cipher);
    tf_put_text(w, "; the certificate verifies for ");
    tf_put_text(w, p->asked.host);
}
