/* A report as a table for spreadsheets, a row for each client and destination;
 * see report.h. RFC 4180 in UTF-8, with a head. What a spreadsheet could take for a
 * formula gets a ' in front. */
#include "report.h"

#include <string.h>

static void put_cell(struct tf_writer *w, const char *text, size_t n)
{
    bool is_formula = n > 0 && memchr("=+-@\t\r", text[0], 6) != NULL;
    tf_put_text(w, is_formula ? "\"'" : "\"");
    for (size_t i = 0; i < n;) {
        size_t shown = tf_text_shown(text + i, n - i);
        if (text[i] == '"')
            tf_put_char(w, '"');
        tf_put(w, shown > 0 ? text + i : "?", shown > 0 ? shown : 1);
        i += shown > 0 ? shown : 1;
    }
    tf_put_char(w, '"');
}

static void put_text(struct tf_writer *w, const char *text)
{
    tf_put_char(w, ',');
    put_cell(w, text, strlen(text));
}

static void put_number(struct tf_writer *w, uint64_t number)
{
    tf_put_char(w, ',');
    tf_put_u64(w, number);
}

static void put_time(struct tf_writer *w, int64_t us)
{
    tf_put_char(w, ',');
    if (us != 0)
        tf_put_time(w, us);
}

/* With blanks between them, since commas part cells. */
static void put_versions(struct tf_writer *w, uint8_t versions)
{
    const char *before = ",\"";
    for (int v = TF_REPORT_PLAIN; v < TF_REPORT_VERSIONS; v++) {
        if ((versions & 1 << v) == 0)
            continue;
        tf_put_text(w, before);
        tf_put_text(w, tf_report_version_name((enum tf_report_version)v));
        before = " ";
    }
    tf_put_text(w, before[0] == ' ' ? "\"" : ",");
}

static void put_source(struct tf_writer *w, const struct tf_addr *source)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer address = tf_writer_of(text, sizeof text);
    tf_put_addr(&address, source);
    put_cell(w, text, address.len);
}

static void put_stack(struct tf_writer *w, const struct tf_report_client *client)
{
    char text[2 * TF_SIGHTING_NAME_MAX];
    struct tf_writer stack = tf_writer_of(text, sizeof text);
    tf_put_report_stack(&stack, client);
    tf_put_char(w, ',');
    put_cell(w, text, stack.len);
}

static const char head[] =
    "source,user,state,stack,family,certainty,ability,user_agent,ja4,versions,destination,port,area,reason,"
    "first_seen,"
    "last_seen,fixed_since,count,blocked,would_block,upgraded,passed,fix,article,listener,rule\r\n";

/* A destination of NULL: the connections to those that are not told apart. */
static void put_row(struct tf_writer *w, const struct tf_report_client *client,
                    const struct tf_report_destination *d)
{
    const struct tf_client_info *info = tf_client_info(client->family);
    put_source(w, &client->source);
    put_text(w, client->user);
    put_text(w, tf_report_state_name(client->state));
    put_stack(w, client);
    put_text(w, info->slug);
    put_text(w, tf_client_certainty_name(client->certainty));
    put_text(w, tf_client_ability_name(info->ability));
    put_text(w, client->user_agent);
    put_text(w, client->ja4);
    put_versions(w, d != NULL ? d->versions : client->versions);
    put_text(w, d != NULL ? d->host : "(further ones)");
    tf_put_char(w, ',');
    if (d != NULL && d->port != 0)
        tf_put_u64(w, d->port);
    put_text(w, d != NULL ? tf_report_area_title(d->is_m365, d->area) : "");
    put_text(w, client->reason != TF_REASON_NONE ? tf_reason_info(client->reason)->code : "");
    put_time(w, d != NULL ? d->first_us : client->first_us);
    put_time(w, d != NULL ? d->last_us : client->last_us);
    put_time(w, client->fixed_us);
    put_number(w, d != NULL ? tf_report_sum(d->counts) : client->more_destinations);
    for (size_t outcome = 0; outcome < TF_OUTCOMES; outcome++) {
        tf_put_char(w, ',');
        if (d != NULL)
            tf_put_u64(w, d->counts[outcome]);
    }
    put_text(w, tf_report_fix(client));
    put_text(w, info->article);
    put_text(w, client->listener);
    put_text(w, client->rule);
    tf_put_text(w, "\r\n");
}

void tf_report_put_csv(struct tf_report_sink *to, const struct tf_report *report)
{
    tf_put_text(&to->w, head);
    for (size_t i = 0; i < report->client_count; i++) {
        const struct tf_report_client *client = &report->clients[i];
        for (size_t k = 0; k < client->destination_count; k++) {
            tf_report_make_room(to);
            put_row(&to->w, client, &client->destinations[k]);
        }
        tf_report_make_room(to);
        if (client->more_destinations > 0 || client->destination_count == 0)
            put_row(&to->w, client, NULL);
    }
    tf_report_flush(to);
}
