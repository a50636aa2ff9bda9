/* A report as one JSON object, by conf/report.schema.json; see report.h. */
#include "json_fields.h"
#include "report.h"

#include <string.h>

static void put_time(struct tf_json *j, const char *key, int64_t us)
{
    if (us == 0)
        tf_json_null(j, key);
    else
        tf_json_time(j, key, us);
}

static void put_day(struct tf_json *j, const char *key, int32_t day)
{
    tf_json_day(j, key, (int64_t)day * 86400);
}

static void put_versions(struct tf_json *j, uint8_t versions)
{
    const char *before = "\"";
    tf_json_key(j, "versions");
    tf_put_char(j->w, '[');
    for (int v = TF_REPORT_PLAIN; v < TF_REPORT_VERSIONS; v++) {
        if ((versions & 1 << v) == 0)
            continue;
        tf_put_text(j->w, before);
        tf_put_text(j->w, tf_report_version_name((enum tf_report_version)v));
        tf_put_char(j->w, '"');
        before = ",\"";
    }
    tf_put_char(j->w, ']');
}

static void put_counts(struct tf_json *j, const uint64_t counts[TF_OUTCOMES])
{
    tf_json_u64(j, "count", tf_report_sum(counts));
    tf_json_u64(j, "blocked", counts[TF_OUTCOME_BLOCKED]);
    tf_json_u64(j, "would_block", counts[TF_OUTCOME_WOULD_BLOCK]);
    tf_json_u64(j, "upgraded", counts[TF_OUTCOME_UPGRADED]);
    tf_json_u64(j, "passed", counts[TF_OUTCOME_PASSED]);
}

static void put_stack(struct tf_json *j, const struct tf_report_client *client)
{
    char text[2 * TF_SIGHTING_NAME_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_report_stack(&w, client);
    tf_json_bytes(j, "stack", text, w.len);
}

/* Between the items of a list. */
static void put_comma(struct tf_report_sink *to, size_t i)
{
    tf_report_make_room(to);
    if (i > 0)
        tf_put_char(&to->w, ',');
}

static void open_list(struct tf_json *j, const char *key)
{
    tf_json_key(j, key);
    tf_put_char(j->w, '[');
}

static void put_destination(struct tf_writer *w, const struct tf_report_destination *d)
{
    struct tf_json j = tf_json_open(w);
    tf_json_text(&j, "host", d->host);
    tf_json_u64(&j, "port", d->port);
    tf_json_text(&j, "area", tf_report_area_name(d->is_m365, d->area));
    put_versions(&j, d->versions);
    put_counts(&j, d->counts);
    put_time(&j, "first_seen", d->first_us);
    put_time(&j, "last_seen", d->last_us);
    tf_json_close(&j);
}

static void put_client(struct tf_report_sink *to, const struct tf_report_client *client)
{
    const struct tf_client_info *info = tf_client_info(client->family);
    const struct tf_reason_info *reason = tf_reason_info(client->reason);
    bool has_reason = client->reason != TF_REASON_NONE;
    struct tf_json j = tf_json_open(&to->w);
    tf_json_addr(&j, "source", &client->source);
    tf_json_text(&j, "user", client->user);
    tf_json_text(&j, "state", tf_report_state_name(client->state));
    tf_json_text(&j, "family", info->slug);
    tf_json_text(&j, "name", client->name);
    tf_json_text(&j, "certainty", tf_client_certainty_name(client->certainty));
    put_stack(&j, client);
    tf_json_text(&j, "ability", tf_client_ability_name(info->ability));
    tf_json_text(&j, "user_agent", client->user_agent);
    tf_json_text(&j, "ja4", client->ja4);
    put_versions(&j, client->versions);
    tf_json_text(&j, "best", tf_report_version_name(tf_report_best(client->versions)));
    tf_json_text(&j, "reason", has_reason ? reason->code : "");
    tf_json_text(&j, "reason_text", has_reason ? reason->sentence : "");
    tf_json_text(&j, "fix", tf_report_fix(client));
    tf_json_text(&j, "article", info->article);
    put_time(&j, "first_seen", client->first_us);
    put_time(&j, "last_seen", client->last_us);
    put_time(&j, "fixed_since", client->fixed_us);
    put_counts(&j, client->counts);
    tf_json_u64(&j, "fallbacks", client->fallbacks);
    tf_json_text(&j, "listener", client->listener);
    tf_json_text(&j, "rule", client->rule);
    open_list(&j, "destinations");
    for (size_t i = 0; i < client->destination_count; i++) {
        put_comma(to, i);
        put_destination(&to->w, &client->destinations[i]);
    }
    tf_put_char(&to->w, ']');
    tf_json_u64(&j, "more_destinations", client->more_destinations);
    tf_json_close(&j);
}

static void put_input(struct tf_json *outer, const struct tf_report_input *input)
{
    struct tf_json j = tf_json_object(outer, "input");
    tf_json_u64(&j, "files", input->files);
    tf_json_u64(&j, "lines", input->lines);
    tf_json_u64(&j, "sightings", input->sightings);
    tf_json_u64(&j, "not_understood", input->bad);
    if (input->bad > 0)
        tf_json_text(&j, "first_not_understood", input->first_bad);
    else
        tf_json_null(&j, "first_not_understood");
    tf_json_bool(&j, "is_full", input->is_full);
    tf_json_close(&j);
}

static void put_totals(struct tf_json *outer, const struct tf_report *report)
{
    struct tf_json j = tf_json_object(outer, "totals");
    tf_json_u64(&j, "clients", report->client_count);
    tf_json_u64(&j, "left", tf_report_left(report));
    tf_json_u64(&j, "left_blocked", report->states[TF_STATE_BLOCKED]);
    tf_json_u64(&j, "left_would_block", report->states[TF_STATE_WOULD_BLOCK]);
    tf_json_u64(&j, "left_upgraded", report->states[TF_STATE_UPGRADED]);
    tf_json_u64(&j, "left_passes", report->states[TF_STATE_PASSES]);
    tf_json_u64(&j, "fallback", report->states[TF_STATE_FALLBACK]);
    tf_json_u64(&j, "silent", report->states[TF_STATE_SILENT]);
    tf_json_u64(&j, "fixed", report->states[TF_STATE_FIXED]);
    tf_json_u64(&j, "healthy", report->healthy);
    tf_json_u64(&j, "older", report->older);
    tf_json_u64(&j, "connections", tf_report_sum(report->counts));
    tf_json_u64(&j, "connections_blocked", report->counts[TF_OUTCOME_BLOCKED]);
    tf_json_u64(&j, "connections_would_block", report->counts[TF_OUTCOME_WOULD_BLOCK]);
    tf_json_u64(&j, "connections_upgraded", report->counts[TF_OUTCOME_UPGRADED]);
    tf_json_u64(&j, "connections_passed", report->counts[TF_OUTCOME_PASSED]);
    tf_json_close(&j);
}

static void put_burn_down(struct tf_report_sink *to, const struct tf_report *report)
{
    for (size_t i = 0; i < report->day_count; i++) {
        const struct tf_report_day *day = &report->days[i];
        put_comma(to, i);
        struct tf_json j = tf_json_open(&to->w);
        put_day(&j, "day", day->day);
        tf_json_u64(&j, "left", day->left);
        tf_json_u64(&j, "new", day->fresh);
        tf_json_u64(&j, "fixed", day->fixed);
        tf_json_close(&j);
    }
    tf_put_char(&to->w, ']');
}

static void put_stacks(struct tf_report_sink *to, const struct tf_report *report)
{
    for (size_t i = 0; i < report->stack_count; i++) {
        const struct tf_report_stack *stack = &report->stacks[i];
        put_comma(to, i);
        struct tf_json j = tf_json_open(&to->w);
        tf_json_text(&j, "stack", tf_report_family_name(stack->family));
        tf_json_u64(&j, "clients", stack->clients);
        tf_json_u64(&j, "left", stack->left);
        tf_json_close(&j);
    }
    tf_put_char(&to->w, ']');
}

static void put_areas(struct tf_report_sink *to, const struct tf_report *report)
{
    for (size_t i = 0; i < report->area_count; i++) {
        const struct tf_report_area *area = &report->areas[i];
        put_comma(to, i);
        struct tf_json j = tf_json_open(&to->w);
        tf_json_text(&j, "area", tf_report_area_name(area->is_m365, area->area));
        tf_json_u64(&j, "clients", area->clients);
        put_counts(&j, area->counts);
        tf_json_close(&j);
    }
    tf_put_char(&to->w, ']');
}

static void put_exception(struct tf_writer *w, const struct tf_report *report, const struct tf_rule *rule)
{
    struct tf_json j = tf_json_open(w);
    int64_t days;
    tf_json_text(&j, "rule", rule->name);
    tf_json_text(&j, "action", tf_action_name(rule->action));
    if (tf_report_days_left(report, rule, &days)) {
        put_day(&j, "until", rule->until_day);
        tf_json_i64(&j, "days_left", days);
    } else {
        tf_json_null(&j, "until");
        tf_json_null(&j, "days_left");
    }
    tf_json_text(&j, "owner", rule->owner);
    tf_json_text(&j, "ticket", rule->ticket);
    tf_json_close(&j);
}

static void put_exceptions(struct tf_report_sink *to, const struct tf_report *report)
{
    for (size_t i = 0; i < report->exception_count; i++) {
        put_comma(to, i);
        put_exception(&to->w, report, report->exceptions[i]);
    }
    tf_put_char(&to->w, ']');
}

void tf_report_put_json(struct tf_report_sink *to, const struct tf_report *report)
{
    struct tf_json j = tf_json_open(&to->w);
    put_time(&j, "generated", report->now_us);
    tf_json_text(&j, "floor", tf_report_floor_name(report));
    put_time(&j, "since", report->since_us);
    if (report->input != NULL)
        put_input(&j, report->input);
    put_totals(&j, report);
    open_list(&j, "clients");
    for (size_t i = 0; i < report->client_count; i++) {
        put_comma(to, i);
        put_client(to, &report->clients[i]);
    }
    tf_put_char(&to->w, ']');
    open_list(&j, "burn_down");
    put_burn_down(to, report);
    open_list(&j, "stacks");
    put_stacks(to, report);
    open_list(&j, "areas");
    put_areas(to, report);
    open_list(&j, "exceptions");
    put_exceptions(to, report);
    tf_json_close(&j);
    tf_put_char(&to->w, '\n');
    tf_report_flush(to);
}
