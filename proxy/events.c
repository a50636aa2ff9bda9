/* Events to JSON; see events.h. */
#include "events.h"

#include "../lib/json_fields.h"
#include <assert.h>
#include <stdlib.h>

/* Holds the longest one: what a peer says takes six bytes for each of its own at most. */
enum { EVENT_MAX = 8192 };

/* `plain` where no hello came. */
static void put_version(struct tf_json *j, const char *key, uint16_t version)
{
    if (version == 0)
        tf_json_text(j, key, "plain");
    else
        tf_json_version(j, key, version);
}

static void put_where(struct tf_json *j, const struct tf_sighting *s)
{
    tf_json_text(j, "host", s->host);
    tf_json_u64(j, "port", s->port);
    tf_json_text(j, "area", s->is_m365 ? tf_m365_area_name(s->area) : "elsewhere");
    tf_json_text(j, "listener", s->listener);
    tf_json_text(j, "rule", s->rule);
}

static void put_who(struct tf_json *j, const struct tf_sighting *s)
{
    const struct tf_client_info *info = tf_client_info(s->family);
    tf_json_addr(j, "source", &s->source);
    tf_json_text(j, "user", s->user);
    tf_json_text(j, "family", info->slug);
    tf_json_text(j, "client", s->name);
    tf_json_text(j, "certainty", tf_client_certainty_name(s->certainty));
    tf_json_text(j, "user_agent", s->user_agent);
    tf_json_text(j, "fix", info->fix);
}

static void put_event(struct tf_writer *w, const struct inventory_event *event)
{
    const struct tf_sighting *s = &event->sighting;
    const struct tf_reason_info *reason = tf_reason_info(s->reason);
    struct tf_json j = tf_json_open(w);
    tf_json_u64(&j, "number", event->number);
    tf_json_time(&j, "at", s->last_us);
    tf_json_text(&j, "outcome", tf_outcome_name(s->outcome));
    tf_json_text(&j, "reason", s->reason != TF_REASON_NONE ? reason->code : "");
    tf_json_text(&j, "sentence", s->reason != TF_REASON_NONE ? reason->sentence : "");
    tf_json_u64(&j, "count", s->count);
    put_who(&j, s);
    put_where(&j, s);
    put_version(&j, "version", s->version);
    if (s->outcome == TF_OUTCOME_UPGRADED)
        put_version(&j, "to", s->to);
    tf_json_bool(&j, "fallback", s->is_fallback);
    tf_json_close(&j);
}

static void write_all(FILE *to, const struct inventory_event *events, size_t n, uint64_t after)
{
    uint64_t last = n > 0 ? events[n - 1].number : 0;
    const char *comma = "";
    fprintf(to, "{\"last\":%llu,\"events\":[", (unsigned long long)last);
    for (size_t i = 0; i < n; i++) {
        char text[EVENT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        if (after <= last && events[i].number <= after)
            continue;
        put_event(&w, &events[i]);
        assert(!w.full);
        fputs(comma, to);
        fwrite(text, 1, w.len, to);
        comma = ",\n";
    }
    fputs("]}\n", to);
}

bool events_write(FILE *to, struct inventory *inventory, uint64_t after)
{
    struct inventory_event *events = calloc(INVENTORY_EVENTS, sizeof *events);
    if (events == NULL)
        return false;
    size_t n = inventory != NULL ? inventory_events(inventory, 0, events, INVENTORY_EVENTS) : 0;
    write_all(to, events, n, after);
    free(events);
    return true;
}
