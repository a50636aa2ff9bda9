/* A report as text for terminals, mails and tickets; see report.h. A client is
 * a row of aligned columns, with what does not fit into one below it:
 *
 *   STATE        SOURCE      SOFTWARE              TLS      COUNT  LAST SEEN
 *   blocked      10.20.0.7   Java 6 (likely)       1.0        412  2026-11-21
 *       is   Java 6 (likely); can be updated; says Java/1.6.0_45
 *       to   outlook.office365.com:443 (Exchange, 412) */
#include "cells.h"
#include "report.h"

#include <string.h>

enum {
    WIDTH_MIN = 80,
    WIDTH_MAX = 200,
    WIDE = 110, /* from here on there is a column more */
    GAP = 2,
    STATE_WIDTH = 11,
    TLS_WIDTH = 5,
    COUNT_WIDTH = 7,
    DAY_WIDTH = 10,
    INDENT = 4,
    LABEL_WIDTH = 6,
    TOP_DESTINATIONS = 3,
    BURN_DOWN_ROWS = 30,
    DETAIL_MAX = 2048 /* holds every detail of a client, in one line */
};

struct layout {
    struct tf_report_sink *to;
    size_t width;
    size_t source_width;   /* of the longest one */
    size_t software_width; /* what is left; 0: none */
    bool has_first;
};

/* --- Pieces of lines. --- */

static void put_text_column(struct tf_writer *w, const char *text, size_t columns)
{
    tf_put_cell(w, text, strlen(text), columns);
    tf_put_blanks(w, GAP);
}

/* To the right; from ten million on in millions. */
static void put_number_column(struct tf_writer *w, uint64_t number, size_t columns)
{
    char text[24];
    struct tf_writer digits = tf_writer_of(text, sizeof text);
    bool is_large = number >= 10000000;
    tf_put_u64(&digits, is_large ? number / 1000000 : number);
    tf_put_text(&digits, is_large ? "M" : "");
    tf_put_blanks(w, digits.len < columns ? columns - digits.len : 0);
    tf_put(w, text, digits.len);
}

static void put_day_of(struct tf_writer *w, int64_t us)
{
    tf_put_day(w, us / 1000000);
}

/* A text that is broken between words where the line ends, with blanks in front, and a label in those of the
 * first line. */
static void put_wrapped(const struct layout *l, size_t blanks, const char *label,
                        const struct tf_writer *text)
{
    struct tf_writer *w = &l->to->w;
    const size_t room = l->width - blanks;
    struct tf_text rest = {text->p, text->len};
    do {
        size_t all = tf_cell_fit(rest.p, rest.n, room), n = all;
        while (n < rest.n && n > 0 && rest.p[n] != ' ')
            n--;
        if (n == 0)
            n = all; /* a word that is longer than a line */
        if (blanks > 0) {
            tf_put_blanks(w, INDENT);
            tf_put_cell(w, label, strlen(label), blanks - INDENT);
        }
        tf_put_shown(w, rest.p, n);
        tf_put_char(w, '\n');
        label = "";
        n += n < rest.n && rest.p[n] == ' ';
        rest = (struct tf_text){rest.p + n, rest.n - n};
    } while (rest.n > 0);
    tf_report_make_room(l->to);
}

static void put_detail(const struct layout *l, const char *label, const struct tf_writer *text)
{
    put_wrapped(l, INDENT + LABEL_WIDTH, label, text);
}

static void put_title(const struct layout *l, const char *title)
{
    tf_report_make_room(l->to);
    tf_put_char(&l->to->w, '\n');
    tf_put_text(&l->to->w, title);
    tf_put_char(&l->to->w, '\n');
}

/* `, 3 fixed`, without the comma where `before` is "". Nothing of 0. */
static const char *put_part(struct tf_writer *w, const char *before, uint64_t number, const char *what)
{
    if (number == 0)
        return before;
    tf_put_text(w, before);
    tf_put_u64(w, number);
    tf_put_char(w, ' ');
    tf_put_text(w, what);
    return ", ";
}

static void put_counts(struct tf_writer *w, const uint64_t counts[TF_OUTCOMES])
{
    static const char *const names[TF_OUTCOMES] = {"blocked", "would be blocked", "upgraded", "passed"};
    const char *before = "";
    for (size_t i = 0; i < TF_OUTCOMES; i++)
        before = put_part(w, before, counts[i], names[i]);
}

/* --- The head. --- */

static void put_line(const struct layout *l, struct tf_writer *text)
{
    put_wrapped(l, 0, "", text);
    text->len = 0;
}

static void put_input(const struct layout *l, struct tf_writer *text, const struct tf_report_input *input)
{
    tf_put_text(text, "read: ");
    tf_put_report_input(text, input);
    put_line(l, text);
    if (input->bad > 0) {
        tf_put_u64(text, input->bad);
        tf_put_text(text, " lines were not understood, the first is ");
        tf_put_text(text, input->first_bad);
        put_line(l, text);
    }
    if (input->is_full) {
        tf_put_text(text, "there were more clients than fit: those seen least lately are missing");
        put_line(l, text);
    }
}

static void put_head(const struct layout *l, const struct tf_report *report)
{
    char room[DETAIL_MAX];
    struct tf_writer text = tf_writer_of(room, sizeof room);
    const char *before = " (";
    tf_put_text(&text, report->floor == TF_TLS13 ? "Clients that a floor of TLS 1.3 would block, "
                                                 : "Clients below TLS 1.2, ");
    tf_put_time(&text, report->now_us);
    if (report->since_us != 0) {
        tf_put_text(&text, ", seen since ");
        put_day_of(&text, report->since_us);
    }
    put_line(l, &text);
    if (report->input != NULL)
        put_input(l, &text, report->input);
    tf_put_u64(&text, tf_report_left(report));
    tf_put_text(&text, " left to fix");
    before = put_part(&text, before, report->states[TF_STATE_BLOCKED], "blocked");
    before = put_part(&text, before, report->states[TF_STATE_WOULD_BLOCK], "would be blocked");
    before = put_part(&text, before, report->states[TF_STATE_UPGRADED], "upgraded");
    before = put_part(&text, before, report->states[TF_STATE_PASSES], "pass now");
    tf_put_text(&text, before[0] == ',' ? "), " : ", ");
    tf_put_u64(&text, report->states[TF_STATE_FALLBACK]);
    tf_put_text(&text, " fallback, ");
    if (report->states[TF_STATE_SILENT] > 0) {
        tf_put_u64(&text, report->states[TF_STATE_SILENT]);
        tf_put_text(&text, " silent (not seen for 30 days), ");
    }
    tf_put_u64(&text, report->states[TF_STATE_FIXED]);
    tf_put_text(&text, " fixed");
    put_line(l, &text);
    tf_put_text(&text, "not listed: ");
    if (tf_put_report_unlisted(&text, report))
        put_line(l, &text);
    text.len = 0;
    if (tf_report_has_twins(report)) {
        tf_put_text(&text, tf_report_twins);
        put_line(l, &text);
    }
}

/* --- Clients. --- */

static void put_columns_head(const struct layout *l)
{
    struct tf_writer *w = &l->to->w;
    tf_put_char(w, '\n');
    put_text_column(w, "STATE", STATE_WIDTH);
    put_text_column(w, "SOURCE", l->source_width);
    if (l->software_width > 0)
        put_text_column(w, "SOFTWARE", l->software_width);
    put_text_column(w, "TLS", TLS_WIDTH);
    put_text_column(w, "  COUNT", COUNT_WIDTH);
    if (l->has_first)
        put_text_column(w, "FIRST SEEN", DAY_WIDTH);
    tf_put_text(w, "LAST SEEN\n");
}

static void put_row(const struct layout *l, const struct tf_report_client *client)
{
    struct tf_writer *w = &l->to->w;
    char source[TF_ADDR_TEXT_MAX], software[2 * TF_SIGHTING_NAME_MAX];
    struct tf_writer address = tf_writer_of(source, sizeof source);
    struct tf_writer stack = tf_writer_of(software, sizeof software);
    tf_put_addr(&address, &client->source);
    tf_put_report_stack(&stack, client);
    if (stack.len > l->software_width) {
        stack.len = 0;
        tf_put_report_short_stack(&stack, client); /* all of it is below */
    }
    put_text_column(w, tf_report_state_name(client->state), STATE_WIDTH);
    tf_put_cell(w, source, address.len, l->source_width);
    tf_put_blanks(w, GAP);
    if (l->software_width > 0) {
        tf_put_cell(w, software, stack.len, l->software_width);
        tf_put_blanks(w, GAP);
    }
    put_text_column(w, tf_report_version_name(tf_report_best(client->versions)), TLS_WIDTH);
    put_number_column(w, tf_report_sum(client->counts), COUNT_WIDTH);
    tf_put_blanks(w, GAP);
    if (l->has_first) {
        put_day_of(w, client->first_us);
        tf_put_blanks(w, GAP);
    }
    put_day_of(w, client->last_us);
    tf_put_char(w, '\n');
}

static void put_identity(const struct layout *l, const struct tf_report_client *client)
{
    if (client->family == TF_CLIENT_FAMILY_UNKNOWN && client->user_agent[0] == '\0' &&
        client->user[0] == '\0')
        return;
    char text[DETAIL_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    const struct tf_client_info *info = tf_client_info(client->family);
    tf_put_report_stack(&w, client);
    if (client->family != TF_CLIENT_FAMILY_UNKNOWN) {
        tf_put_text(&w,
                    info->ability == TF_CLIENT_ABILITY_UNKNOWN ? "; whether it can do TLS 1.2 is " : "; ");
        tf_put_text(&w, tf_client_ability_name(info->ability));
    }
    if (client->user_agent[0] != '\0') {
        tf_put_text(&w, "; says ");
        tf_put_text(&w, client->user_agent);
    }
    if (client->user[0] != '\0') {
        tf_put_text(&w, "; user ");
        tf_put_text(&w, client->user);
    }
    put_detail(l, "is", &w);
}

static void put_destinations(const struct layout *l, const struct tf_report_client *client)
{
    char text[DETAIL_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    for (size_t i = 0; i < client->destination_count && i < TOP_DESTINATIONS; i++) {
        const struct tf_report_destination *d = &client->destinations[i];
        tf_put_text(&w, i > 0 ? ", " : "");
        tf_put_report_destination(&w, d);
        tf_put_text(&w, " (");
        if (d->is_m365) {
            tf_put_text(&w, tf_report_area_title(true, d->area));
            tf_put_text(&w, ", ");
        }
        tf_put_u64(&w, tf_report_sum(d->counts));
        tf_put_char(&w, ')');
    }
    if (client->destination_count > TOP_DESTINATIONS) {
        tf_put_text(&w, " and ");
        tf_put_u64(&w, client->destination_count - TOP_DESTINATIONS);
        tf_put_text(&w, client->more_destinations > 0 ? " or more others" : " more");
    }
    put_detail(l, "to", &w);
}

/* What became of its connections, and why. */
static void put_outcome(const struct layout *l, const struct tf_report_client *client)
{
    char text[DETAIL_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    put_counts(&w, client->counts);
    tf_put_text(&w, " since ");
    put_day_of(&w, client->first_us);
    if (client->reason != TF_REASON_NONE) {
        tf_put_text(&w, ": ");
        tf_put_text(&w, tf_reason_info(client->reason)->sentence);
    }
    if (client->rule[0] != '\0') {
        tf_put_text(&w, "; by [rule ");
        tf_put_text(&w, client->rule);
        tf_put_char(&w, ']');
    }
    put_detail(l, "was", &w);
}

static void put_fix(const struct layout *l, const struct tf_report_client *client)
{
    char text[DETAIL_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    const char *fix = tf_report_fix(client), *article = tf_client_info(client->family)->article;
    tf_put_text(&w, fix);
    if (article[0] != '\0' && client->state != TF_STATE_FALLBACK && strstr(fix, article) == NULL) {
        tf_put_text(&w, " (");
        tf_put_text(&w, article);
        tf_put_char(&w, ')');
    }
    put_detail(l, "do", &w);
}

static void put_fixed(const struct layout *l, const struct tf_report_client *client)
{
    char text[DETAIL_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_text(&w, "at or above TLS 1.2 since ");
    put_day_of(&w, client->fixed_us);
    put_detail(l, "now", &w);
}

static void put_client(const struct layout *l, const struct tf_report_client *client)
{
    tf_report_make_room(l->to);
    put_row(l, client);
    if (client->state == TF_STATE_FIXED) {
        put_fixed(l, client);
        return;
    }
    put_identity(l, client);
    put_destinations(l, client);
    put_outcome(l, client);
    put_fix(l, client);
}

static void put_clients(const struct layout *l, const struct tf_report *report)
{
    if (report->client_count > 0)
        put_columns_head(l);
    for (size_t i = 0; i < report->client_count; i++)
        put_client(l, &report->clients[i]);
}

/* --- What is behind them. --- */

/* `#` for as many columns as number is of max, one at least; nothing of 0. */
static void put_bar(struct tf_writer *w, uint64_t number, uint64_t max, size_t columns)
{
    if (number > 0) {
        size_t n = (size_t)((double)number / (double)max * (double)columns);
        tf_put_blanks(w, GAP);
        for (size_t i = 0; i < n || i == 0; i++)
            tf_put_char(w, '#');
    }
    tf_put_char(w, '\n');
}

/* A row for each day, or for each few. */
static void put_burn_down(const struct layout *l, const struct tf_report *report)
{
    enum { COLUMNS = DAY_WIDTH + GAP + 3 * (COUNT_WIDTH + GAP) };
    struct tf_writer *w = &l->to->w;
    size_t step = (report->day_count + BURN_DOWN_ROWS - 1) / BURN_DOWN_ROWS;
    uint64_t most = 0;
    for (size_t i = 0; i < report->day_count; i++)
        most = report->days[i].left > most ? report->days[i].left : most;
    put_title(l, "DAY            LEFT      NEW    FIXED");
    for (size_t i = 0; i < report->day_count; i += step) {
        uint64_t fresh = 0, fixed = 0;
        size_t last = i;
        for (size_t k = i; k < i + step && k < report->day_count; k++) {
            fresh += report->days[k].fresh;
            fixed += report->days[k].fixed;
            last = k;
        }
        tf_report_make_room(l->to);
        tf_put_report_day(w, report->days[last].day);
        put_number_column(w, report->days[last].left, COUNT_WIDTH + GAP);
        put_number_column(w, fresh, COUNT_WIDTH + GAP);
        put_number_column(w, fixed, COUNT_WIDTH + GAP);
        put_bar(w, report->days[last].left, most, l->width - COLUMNS);
    }
}

static void put_areas(const struct layout *l, const struct tf_report *report)
{
    struct tf_writer *w = &l->to->w;
    put_title(l, "WHERE TO    CLIENTS  BLOCKED WOULD BE UPGRADED   PASSED");
    for (size_t i = 0; i < report->area_count; i++) {
        const struct tf_report_area *area = &report->areas[i];
        const char *name = tf_report_area_title(area->is_m365, area->area);
        tf_put_cell(w, name, strlen(name), DAY_WIDTH);
        put_number_column(w, area->clients, COUNT_WIDTH + GAP);
        for (size_t outcome = 0; outcome < TF_OUTCOMES; outcome++)
            put_number_column(w, area->counts[outcome], COUNT_WIDTH + GAP);
        tf_put_char(w, '\n');
    }
}

static void put_exception(const struct layout *l, const struct tf_report *report, const struct tf_rule *rule)
{
    char text[DETAIL_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    int64_t days;
    tf_put_text(&w, rule->name);
    tf_put_text(&w, ": ");
    tf_put_text(&w, tf_action_name(rule->action));
    if (!tf_report_days_left(report, rule, &days)) {
        tf_put_text(&w, " without end");
    } else {
        tf_put_text(&w, " until ");
        tf_put_report_day(&w, rule->until_day);
        tf_put_text(&w, ", ");
        tf_put_u64(&w, (uint64_t)(days < 0 ? -days : days));
        tf_put_text(&w, days < 0 ? " days ago" : " days left");
    }
    tf_put_text(&w, rule->owner[0] != '\0' ? "; owner " : "");
    tf_put_text(&w, rule->owner);
    tf_put_text(&w, rule->ticket[0] != '\0' ? "; ticket " : "");
    tf_put_text(&w, rule->ticket);
    put_line(l, &w);
}

static size_t longest_source(const struct tf_report *report)
{
    size_t longest = strlen("SOURCE");
    for (size_t i = 0; i < report->client_count; i++) {
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_addr(&w, &report->clients[i].source);
        longest = w.len > longest ? w.len : longest;
    }
    return longest;
}

static struct layout layout_of(struct tf_report_sink *to, const struct tf_report *report, size_t width)
{
    enum { OTHER_COLUMNS = STATE_WIDTH + GAP + TLS_WIDTH + GAP + COUNT_WIDTH + GAP + DAY_WIDTH };
    width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
    struct layout l = {.to = to, .width = width, .has_first = width >= WIDE};
    size_t room = width - OTHER_COLUMNS - (l.has_first ? DAY_WIDTH + GAP : 0);
    l.source_width = longest_source(report);
    if (room > l.source_width + 2 * GAP)
        l.software_width = room - l.source_width - 2 * GAP;
    return l;
}

void tf_report_put_text(struct tf_report_sink *to, const struct tf_report *report, size_t width)
{
    struct layout l = layout_of(to, report, width);
    put_head(&l, report);
    put_clients(&l, report);
    if (report->client_count > 0) {
        put_burn_down(&l, report);
        put_areas(&l, report);
    }
    if (report->exception_count > 0)
        put_title(&l, "EXCEPTIONS");
    for (size_t i = 0; i < report->exception_count; i++)
        put_exception(&l, report, report->exceptions[i]);
    tf_report_flush(to);
}
