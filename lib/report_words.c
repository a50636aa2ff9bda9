/* What all formats of a report say alike; see report.h. */
#include "report.h"

#include <assert.h>
#include <string.h>

void tf_report_flush(struct tf_report_sink *to)
{
    assert(!to->w.full);
    if (to->w.len > 0)
        to->take(to->arg, to->w.p, to->w.len);
    to->w.len = 0;
}

void tf_report_make_room(struct tf_report_sink *to)
{
    if (to->w.len > to->w.cap / 2)
        tf_report_flush(to);
}

uint64_t tf_report_sum(const uint64_t counts[TF_OUTCOMES])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < TF_OUTCOMES; i++)
        sum += counts[i];
    return sum;
}

uint64_t tf_report_left(const struct tf_report *report)
{
    uint64_t left = 0;
    for (size_t state = 0; state < TF_STATE_FALLBACK; state++)
        left += report->states[state];
    return left;
}

const char tf_report_twins[] = "a client that is fixed comes at or above TLS 1.2 now; one that comes "
                               "with TLS 1.2 has a second row, since 1.3 would block it";

bool tf_report_has_twins(const struct tf_report *report)
{
    return report->floor == TF_TLS13 && report->states[TF_STATE_FIXED] > 0;
}

const char *tf_report_state_name(enum tf_report_state state)
{
    static const char *const names[TF_STATES] = {"blocked",  "would-block", "upgraded", "passes",
                                                 "fallback", "silent",      "fixed"};
    return names[state];
}

const char *tf_report_state_title(enum tf_report_state state)
{
    static const char *const titles[TF_STATES] = {
        "blocked", "would be blocked", "upgraded", "passes now", "fallback", "not seen for 30 days", "fixed"};
    return titles[state];
}

const char *tf_report_version_name(enum tf_report_version version)
{
    static const char *const names[TF_REPORT_VERSIONS] = {"plain", "ssl2", "ssl3", "1.0",
                                                          "1.1",   "1.2",  "1.3"};
    return names[version];
}

const char *tf_report_version_title(enum tf_report_version version)
{
    static const char *const titles[TF_REPORT_VERSIONS] = {"no TLS",  "SSL 2.0", "SSL 3.0", "TLS 1.0",
                                                           "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    return titles[version];
}

enum tf_report_version tf_report_best(uint8_t versions)
{
    enum tf_report_version best = TF_REPORT_TLS13;
    while (best > TF_REPORT_PLAIN && (versions & 1 << best) == 0)
        best--;
    return best;
}

const char *tf_report_floor_name(const struct tf_report *report)
{
    return tf_report_version_name(report->floor == TF_TLS13 ? TF_REPORT_TLS13 : TF_REPORT_TLS12);
}

const char *tf_report_area_name(bool is_m365, enum tf_m365_area area)
{
    return is_m365 ? tf_m365_area_name(area) : "elsewhere";
}

const char *tf_report_area_title(bool is_m365, enum tf_m365_area area)
{
    if (is_m365 && area == TF_M365_SKYPE)
        return "Teams";
    if (is_m365 && area == TF_M365_MEM)
        return "Intune";
    return tf_report_area_name(is_m365, area);
}

const char *tf_report_family_name(enum tf_client_family family)
{
    return family == TF_CLIENT_FAMILY_UNKNOWN ? "unknown" : tf_client_info(family)->name;
}

static const char *stack_of(const struct tf_report_client *client)
{
    return client->name[0] != '\0' ? client->name : tf_report_family_name(client->family);
}

/* name[0..n), with how sure that is. */
static void put_stack(struct tf_writer *w, const struct tf_report_client *client, const char *name, size_t n)
{
    static const char guess[] = "perhaps ";
    bool is_known = client->family != TF_CLIENT_FAMILY_UNKNOWN;
    if (is_known && client->certainty <= TF_CLIENT_POSSIBLE && strncmp(name, guess, sizeof guess - 1) != 0)
        tf_put_text(w, guess);
    tf_put(w, name, n);
    if (is_known && client->certainty == TF_CLIENT_LIKELY)
        tf_put_text(w, " (likely)");
}

void tf_put_report_stack(struct tf_writer *w, const struct tf_report_client *client)
{
    const char *name = stack_of(client);
    put_stack(w, client, name, strlen(name));
}

void tf_put_report_short_stack(struct tf_writer *w, const struct tf_report_client *client)
{
    const char *name = stack_of(client);
    size_t n = strcspn(name, ",(");
    put_stack(w, client, name, n > 0 && name[n - 1] == ' ' ? n - 1 : n);
}

/* `1 file`, `2 files` */
static void put_counted(struct tf_writer *w, uint64_t number, const char *what)
{
    tf_put_u64(w, number);
    tf_put_char(w, ' ');
    tf_put_text(w, what);
    tf_put_text(w, number == 1 ? "" : "s");
}

void tf_put_report_input(struct tf_writer *w, const struct tf_report_input *input)
{
    if (input->is_inventory) {
        tf_put_text(w, "an inventory of ");
        put_counted(w, input->sightings, "client");
        return;
    }
    put_counted(w, input->files, "file");
    tf_put_text(w, ", ");
    put_counted(w, input->lines, "line");
    tf_put_text(w, ", ");
    tf_put_u64(w, input->sightings);
    tf_put_text(w, " of them about clients' TLS");
}

bool tf_put_report_unlisted(struct tf_writer *w, const struct tf_report *report)
{
    if (report->healthy > 0) {
        put_counted(w, report->healthy, "client");
        tf_put_text(w, report->healthy == 1 ? " that has" : " that have");
        tf_put_text(w, " only been seen with TLS 1.2 (a floor of 1.3 would block them)");
    }
    if (report->older > 0) {
        tf_put_text(w, report->healthy > 0 ? ", " : "");
        put_counted(w, report->older, "client");
        tf_put_text(w, " not seen since ");
        tf_put_day(w, report->since_us / 1000000);
    }
    return report->healthy + report->older > 0;
}

/* What is wrong with it now is its version, and nothing else. */
static bool is_about_version(const struct tf_report_client *client)
{
    bool is_refused = client->state == TF_STATE_BLOCKED || client->state == TF_STATE_WOULD_BLOCK;
    return !is_refused || client->reason == TF_REASON_NONE || client->reason == TF_REASON_CLIENT_BELOW_FLOOR;
}

const char *tf_report_fix(const struct tf_report_client *client)
{
    if (client->state == TF_STATE_FIXED)
        return "";
    if (client->state == TF_STATE_FALLBACK)
        return tf_client_info(TF_CLIENT_FAMILY_BROWSER_FALLBACK)->fix;
    if (!is_about_version(client))
        return tf_reason_info(client->reason)->advice;
    if (client->family != TF_CLIENT_FAMILY_UNKNOWN)
        return tf_client_info(client->family)->fix;
    switch (tf_report_best(client->versions)) {
    case TF_REPORT_PLAIN:
        return "turn on TLS in the client: https:// instead of http://, STARTTLS for mail";
    case TF_REPORT_TLS12:
    case TF_REPORT_TLS13:
        return "update or reconfigure the client so that it offers TLS 1.3";
    case TF_REPORT_SSL2:
    case TF_REPORT_SSL3:
    case TF_REPORT_TLS10:
    case TF_REPORT_TLS11:
    case TF_REPORT_VERSIONS:
        break;
    }
    return tf_reason_info(TF_REASON_CLIENT_BELOW_FLOOR)->advice;
}

void tf_put_report_destination(struct tf_writer *w, const struct tf_report_destination *destination)
{
    if (destination->host[0] == '\0') {
        tf_put_text(w, "unknown");
        return;
    }
    bool is_v6 = strchr(destination->host, ':') != NULL;
    tf_put_text(w, is_v6 ? "[" : "");
    tf_put_text(w, destination->host);
    tf_put_text(w, is_v6 ? "]:" : ":");
    tf_put_u64(w, destination->port);
}

bool tf_report_days_left(const struct tf_report *report, const struct tf_rule *rule, int64_t *days)
{
    *days = (int64_t)rule->until_day - tf_day_of(report->now_us / 1000000);
    return rule->until_day != INT32_MAX;
}

void tf_put_report_day(struct tf_writer *w, int32_t day)
{
    tf_put_day(w, (int64_t)day * 24 * 60 * 60);
}
