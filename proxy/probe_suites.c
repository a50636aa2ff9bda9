/* Which suites a server takes with one version: all are offered, what it
 * picked is struck out, and it is asked again, until it picks nothing. */
#include "probe_parts.h"

#include "../lib/suites.h"
#include <stdio.h>
#include <string.h>

struct offer {
    uint16_t suites[PROBE_SUITES_MAX];
    size_t n;
};

static bool is_signal(uint16_t suite)
{
    return suite == 0x00ff || suite == 0x5600; /* RFC 5746, RFC 7507 */
}

static struct offer all_suites(uint16_t version)
{
    struct offer offer = {.n = 0};
    uint16_t suite;
    for (size_t i = 0; (suite = tf_suite_at(i)) != 0 && offer.n < PROBE_SUITES_MAX; i++)
        if ((suite >> 8 == 0x13) == (version == TF_TLS13) && !is_signal(suite))
            offer.suites[offer.n++] = suite;
    return offer;
}

/* False: it was not offered. */
static bool strike_out(struct offer *offer, uint16_t suite)
{
    for (size_t i = 0; i < offer->n; i++) {
        if (offer->suites[i] != suite)
            continue;
        offer->n--;
        memmove(&offer->suites[i], &offer->suites[i + 1], (offer->n - i) * sizeof suite);
        return true;
    }
    return false;
}

/* Whether it picks the same of what it takes when that is offered the other way round. */
static bool has_order(struct probe *p, const struct probe_version *v)
{
    struct offer backwards = {.n = v->suite_count};
    struct probe_answer answer;
    for (size_t i = 0; i < v->suite_count; i++)
        backwards.suites[i] = v->suites[v->suite_count - 1 - i];
    probe_hello(p, v->version, backwards.suites, backwards.n, &answer);
    return answer.outcome == PROBE_TAKEN && answer.suite == v->suites[0];
}

void probe_suites(struct probe *p, uint16_t version, struct probe_version *v)
{
    struct offer offer = all_suites(version);
    struct probe_answer answer = {.outcome = PROBE_REFUSED};
    *v = (struct probe_version){.version = version};
    while (offer.n > 0) {
        probe_hello(p, version, offer.suites, offer.n, &answer);
        if (answer.outcome != PROBE_TAKEN)
            break;
        if (!strike_out(&offer, answer.suite)) {
            answer.outcome = PROBE_STRANGE;
            snprintf(answer.why, sizeof answer.why, "it picks suite 0x%04x, which was not offered",
                     answer.suite);
            break;
        }
        v->suites[v->suite_count++] = answer.suite;
    }
    v->is_whole = offer.n == 0 || answer.outcome == PROBE_REFUSED;
    v->outcome = v->suite_count > 0 ? PROBE_TAKEN : answer.outcome;
    memcpy(v->why, answer.why, sizeof v->why);
    v->has_order = v->suite_count > 1 && has_order(p, v);
}
