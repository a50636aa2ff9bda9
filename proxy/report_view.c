/* What stands in a report; see report_view.h. */
#include "report_view.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)ROSTER_TLS13 == (int)TF_REPORT_TLS13 && (int)ROSTER_PLAIN == (int)TF_REPORT_PLAIN,
               "versions of a roster are those of a report");

enum {
    DAYS_MAX = 400,           /* of the burn-down */
    RECENT_DAYS = 7,          /* clients seen within these come first */
    AREAS = TF_M365_AREAS + 1 /* the last one: elsewhere */
};

static const int64_t DAY_US = INT64_C(24) * 60 * 60 * 1000000;

struct report_view {
    struct tf_report report;
    struct tf_report_client *clients;
    struct tf_report_destination *destinations; /* of all clients */
    struct tf_report_day *days;
    const struct tf_rule **exceptions;
    struct tf_report_stack stacks[TF_CLIENT_FAMILY_COUNT];
    struct tf_report_area areas[AREAS];
};

static int32_t day_of(int64_t us)
{
    return tf_day_of(us / 1000000);
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* --- Who is listed. --- */

static bool is_below(const struct roster_client *c, uint16_t floor)
{
    if (floor == TF_TLS13)
        return true; /* the roster has nobody who offers TLS 1.3 */
    return c->below_us != 0 || c->fallbacks > 0;
}

static bool is_listed(const struct roster_client *c, const struct report_options *options)
{
    return c->last_us >= options->since_us && is_below(c, options->floor);
}

/* By what became of it last: a client that was blocked once, and is upgraded by now, is upgraded. */
static enum tf_report_state state_of(const struct roster_client *c, int64_t now_us)
{
    static const enum tf_report_state states[TF_OUTCOMES] = {TF_STATE_BLOCKED, TF_STATE_WOULD_BLOCK,
                                                             TF_STATE_UPGRADED, TF_STATE_PASSES};
    if (c->fixed_us != 0)
        return TF_STATE_FIXED;
    if (c->below_us == 0 && c->fallbacks > 0)
        return TF_STATE_FALLBACK;
    return roster_is_silent(c, now_us) ? TF_STATE_SILENT : states[c->outcome];
}

static int by_destination_count(const void *a, const void *b)
{
    const struct tf_report_destination *x = a, *y = b;
    int by_count = order(tf_report_sum(y->counts), tf_report_sum(x->counts));
    int by_host = by_count != 0 ? by_count : strcmp(x->host, y->host);
    return by_host != 0 ? by_host : order(x->port, y->port);
}

static void fill_destination(struct tf_report_destination *to, const struct roster_destination *d)
{
    *to = (struct tf_report_destination){.host = d->host,
                                         .port = d->port,
                                         .is_m365 = d->is_m365,
                                         .area = d->area,
                                         .versions = d->versions,
                                         .first_us = d->first_us,
                                         .last_us = d->last_us};
    memcpy(to->counts, d->counts, sizeof to->counts);
}

/* destinations: room for all of the client's. */
static void fill_client(struct tf_report_client *to, const struct roster_client *c,
                        struct tf_report_destination *destinations, int64_t now_us)
{
    *to = (struct tf_report_client){.source = c->source,
                                    .state = state_of(c, now_us),
                                    .family = c->family,
                                    .certainty = c->certainty,
                                    .name = c->name,
                                    .user_agent = c->user_agent,
                                    .user = c->user,
                                    .ja4 = c->ja4,
                                    .listener = c->listener,
                                    .rule = c->rule,
                                    .versions = c->versions,
                                    .reason = c->reason,
                                    .fallbacks = c->fallbacks,
                                    .first_us = c->first_us,
                                    .last_us = c->last_us,
                                    .fixed_us = c->fixed_us,
                                    .destinations = destinations,
                                    .destination_count = c->destination_count,
                                    .more_destinations = c->more_destinations};
    memcpy(to->counts, c->counts, sizeof to->counts);
    for (size_t i = 0; i < c->destination_count; i++)
        fill_destination(&destinations[i], &c->destinations[i]);
    if (c->destination_count > 1)
        qsort(destinations, c->destination_count, sizeof *destinations, by_destination_count);
}

/* What to fix first comes first; `arg` is since when a client is a recent one. */
static int by_urgency(const void *a, const void *b, void *arg)
{
    const struct tf_report_client *x = a, *y = b;
    const int64_t *recent_us = arg;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    bool x_is_recent = x->last_us >= *recent_us, y_is_recent = y->last_us >= *recent_us;
    if (x_is_recent != y_is_recent)
        return x_is_recent ? -1 : 1;
    int by_count = order(tf_report_sum(y->counts), tf_report_sum(x->counts));
    int by_source = by_count != 0 ? by_count : memcmp(x->source.ip, y->source.ip, sizeof x->source.ip);
    return by_source != 0 ? by_source : order(x->family, y->family);
}

/* False: out of memory. */
static bool list_clients(struct report_view *view, const struct roster *roster,
                         const struct report_options *options)
{
    size_t clients = 0, destinations = 0;
    for (size_t i = 0; i < roster_count(roster); i++)
        if (is_listed(roster_at(roster, i), options)) {
            clients++;
            destinations += roster_at(roster, i)->destination_count;
        }
    view->clients = calloc(clients + 1, sizeof *view->clients);
    view->destinations = calloc(destinations + 1, sizeof *view->destinations);
    if (view->clients == NULL || view->destinations == NULL)
        return false;
    struct tf_report_client *client = view->clients;
    struct tf_report_destination *destination = view->destinations;
    for (size_t i = 0; i < roster_count(roster); i++) {
        const struct roster_client *c = roster_at(roster, i);
        if (!is_listed(c, options))
            continue;
        fill_client(client++, c, destination, options->now_us);
        destination += c->destination_count;
    }
    int64_t recent_us = options->now_us - RECENT_DAYS * DAY_US;
    qsort_r(view->clients, clients, sizeof *view->clients, by_urgency, &recent_us);
    view->report.clients = view->clients;
    view->report.client_count = clients;
    return true;
}

static void count_unlisted(struct tf_report *report, const struct roster *roster)
{
    for (size_t i = 0; i < roster_count(roster); i++) {
        const struct roster_client *c = roster_at(roster, i);
        bool is_older = c->last_us < report->since_us;
        report->older += is_older;
        report->healthy += !is_older && !is_below(c, report->floor);
    }
}

/* --- What they come to. --- */

static void add_counts(uint64_t to[TF_OUTCOMES], const uint64_t counts[TF_OUTCOMES])
{
    for (size_t i = 0; i < TF_OUTCOMES; i++)
        to[i] += counts[i];
}

static int by_clients(const void *a, const void *b)
{
    const struct tf_report_stack *x = a, *y = b;
    int by_left = order(y->left, x->left);
    int by_count = by_left != 0 ? by_left : order(y->clients, x->clients);
    return by_count != 0 ? by_count : order(x->family, y->family);
}

static int by_connections(const void *a, const void *b)
{
    const struct tf_report_area *x = a, *y = b;
    int by_count = order(tf_report_sum(y->counts), tf_report_sum(x->counts));
    return by_count != 0 ? by_count : order(x->area, y->area);
}

static void add_areas(struct report_view *view, const struct tf_report_client *client)
{
    bool has[AREAS] = {false};
    for (size_t i = 0; i < client->destination_count; i++) {
        const struct tf_report_destination *d = &client->destinations[i];
        size_t area = d->is_m365 ? d->area : AREAS - 1;
        add_counts(view->areas[area].counts, d->counts);
        view->areas[area].clients += !has[area];
        has[area] = true;
    }
}

/* Those that nobody belongs to are left out. */
static void sum_up(struct report_view *view)
{
    struct tf_report *report = &view->report;
    for (size_t i = 0; i < TF_CLIENT_FAMILY_COUNT; i++)
        view->stacks[i].family = (enum tf_client_family)i;
    for (size_t i = 0; i < AREAS; i++) {
        view->areas[i].area = (enum tf_m365_area)i;
        view->areas[i].is_m365 = i < TF_M365_AREAS;
    }
    for (size_t i = 0; i < report->client_count; i++) {
        const struct tf_report_client *client = &report->clients[i];
        report->states[client->state]++;
        add_counts(report->counts, client->counts);
        view->stacks[client->family].clients++;
        view->stacks[client->family].left += client->state < TF_STATE_FALLBACK;
        add_areas(view, client);
    }
    qsort(view->stacks, TF_CLIENT_FAMILY_COUNT, sizeof *view->stacks, by_clients);
    qsort(view->areas, AREAS, sizeof *view->areas, by_connections);
    report->stacks = view->stacks;
    while (report->stack_count < TF_CLIENT_FAMILY_COUNT && view->stacks[report->stack_count].clients > 0)
        report->stack_count++;
    report->areas = view->areas;
    while (report->area_count < AREAS && view->areas[report->area_count].clients > 0)
        report->area_count++;
}

/* --- How it changes. --- */

/* The first day of the burn-down: that of the first sighting, or of `since`, but not too long ago. */
static int32_t first_day(const struct tf_report *report, int32_t today)
{
    int32_t first = today;
    for (size_t i = 0; i < report->client_count; i++)
        if (day_of(report->clients[i].first_us) < first)
            first = day_of(report->clients[i].first_us);
    if (report->since_us != 0 && day_of(report->since_us) > first)
        first = day_of(report->since_us) < today ? day_of(report->since_us) : today;
    return first > today - DAYS_MAX ? first : today - DAYS_MAX + 1;
}

/* As days since the first one. */
static int64_t day_within(int64_t us, int32_t first, int64_t today)
{
    int64_t day = (int64_t)day_of(us) - first;
    return day < today ? day : today;
}

/* `change`: by how much `left` is more than on the day before. On the last day those are left that are so by
 * their state; what a clock that is ahead has written is of that day. */
static void count_client(struct tf_report_day *days, int64_t *change, size_t n, int32_t first,
                         const struct tf_report_client *client)
{
    const int64_t today = (int64_t)n - 1;
    int64_t from = day_within(client->first_us, first, today);
    int64_t to = (int64_t)day_of(client->last_us) + ROSTER_SEEN_DAYS + 1 - first;
    int64_t fixed = client->fixed_us != 0 ? day_within(client->fixed_us, first, today) : INT64_MAX;
    if (fixed < to)
        to = fixed;
    if (from >= 0)
        days[from].fresh++;
    if (fixed >= 0 && fixed <= today)
        days[fixed].fixed++;
    if (from < to && to > 0) {
        change[from > 0 ? from : 0]++;
        if (to <= today)
            change[to]--;
    }
}

/* False: out of memory. */
static bool burn_down(struct report_view *view)
{
    struct tf_report *report = &view->report;
    int32_t today = day_of(report->now_us), first = first_day(report, today);
    int64_t change[DAYS_MAX] = {0}, left = 0;
    size_t n = (size_t)(today - first) + 1;
    view->days = calloc(n, sizeof *view->days);
    if (view->days == NULL)
        return false;
    for (size_t i = 0; i < report->client_count; i++)
        if (report->clients[i].state != TF_STATE_FALLBACK)
            count_client(view->days, change, n, first, &report->clients[i]);
    for (size_t i = 0; i < n; i++) {
        left += change[i];
        view->days[i].day = first + (int32_t)i;
        view->days[i].left = (uint64_t)left;
    }
    report->days = view->days;
    report->day_count = n;
    return true;
}

/* --- Who has leave. --- */

static bool is_exception(const struct tf_rule *rule)
{
    return rule->until_day != INT32_MAX || rule->owner[0] != '\0' || rule->ticket[0] != '\0';
}

static int by_end(const void *a, const void *b)
{
    const struct tf_rule *const *x = a, *const *y = b;
    if ((*x)->until_day != (*y)->until_day)
        return (*x)->until_day < (*y)->until_day ? -1 : 1;
    return strcmp((*x)->name, (*y)->name);
}

/* False: out of memory. */
static bool list_exceptions(struct report_view *view, const struct tf_policy *policy)
{
    view->exceptions = calloc(policy->rule_count + 1, sizeof *view->exceptions);
    if (view->exceptions == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < policy->rule_count; i++)
        if (is_exception(&policy->rules[i]))
            view->exceptions[n++] = &policy->rules[i];
    qsort(view->exceptions, n, sizeof *view->exceptions, by_end);
    view->report.exceptions = view->exceptions;
    view->report.exception_count = n;
    return true;
}

struct report_view *report_view_new(const struct roster *roster, const struct report_options *options)
{
    struct report_view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return NULL;
    view->report.now_us = options->now_us;
    view->report.since_us = options->since_us;
    view->report.floor = options->floor;
    view->report.input = options->input;
    if (list_clients(view, roster, options) && burn_down(view) &&
        (options->conf == NULL || list_exceptions(view, &options->conf->policy))) {
        count_unlisted(&view->report, roster);
        sum_up(view);
        return view;
    }
    report_view_free(view);
    return NULL;
}

const struct tf_report *report_view_of(const struct report_view *view)
{
    return &view->report;
}

void report_view_free(struct report_view *view)
{
    if (view == NULL)
        return;
    free(view->clients);
    free(view->destinations);
    free(view->days);
    free(view->exceptions);
    free(view);
}
