/* A report as one page that needs nothing else: no script, no request, to be
 * mailed, archived and printed; see report.h. Its policy allows nothing but
 * the one style sheet, by its hash. */
#include "html.h"
#include "report.h"

#include <string.h>

enum { TOP_DESTINATIONS = 3, TEXT_MAX = 2048 /* so much of what others have said, at the most */ };

/* What changes here changes STYLE_HASH: openssl dgst -sha256 -binary | base64 of what is between the tags. */
static const char style[] =
    ":root{--page:#f9f9f7;--card:#fcfcfb;--ink:#0b0b0b;--soft:#52514e;--mute:#6b6a64;--line:#e1e0d9;"
    "--blue:#2a78d6;--wash:#2a78d61f;--red:#d03b3b;--orange:#c2570c;--green:#0a7d0a;color-scheme:light "
    "dark}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#0d0d0d;--card:#1a1a19;--ink:#fff;--soft:#c3c2b7;"
    "--mute:#a09f97;--line:#2c2c2a;--blue:#3987e5;--wash:#3987e533;--red:#e66767;--orange:#ec835a;"
    "--green:#35b535}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;padding:1.5rem;background:var(--page);color:var(--ink);font:15px/1.45 "
    "system-ui,sans-serif}\n"
    "main{max-width:88rem;margin:auto}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:0 0 .75rem}\n"
    "p{margin:.25rem 0;color:var(--soft);overflow-wrap:anywhere}section>p{margin:0 0 "
    ".75rem;font-size:.87rem}\n"
    "section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:1rem;"
    "margin-top:1rem}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1rem 0 0;"
    "padding:0}\n"
    ".tiles div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.6rem .9rem}\n"
    ".tiles dt{color:var(--soft);font-size:.85rem}.tiles dd{margin:0;font-size:1.7rem;font-weight:600}\n"
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:0 1rem}\n"
    "svg{display:block;width:100%;overflow:visible}\n"
    "text{fill:var(--mute);font:12px system-ui,sans-serif}.end{text-anchor:end}\n"
    ".grid{stroke:var(--line)}.line{fill:none;stroke:var(--blue);stroke-width:2;stroke-linejoin:round}\n"
    ".grid,.line{vector-effect:non-scaling-stroke}.area{fill:var(--wash)}\n"
    ".bars{list-style:none;margin:0;padding:0;display:grid;gap:.6rem;font-size:.87rem}\n"
    ".bars li{display:grid;grid-template-columns:1fr auto;gap:.15rem 1rem}.bars svg{grid-column:1/-1;height:"
    ".6rem;background:var(--wash)}.bars rect{fill:var(--blue)}\n"
    ".wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;width:100%;font-size:.87rem}\n"
    "caption{text-align:left;color:var(--soft);padding-bottom:.5rem}\n"
    "th,td{text-align:left;vertical-align:top;padding:.5rem .6rem;border-top:1px solid var(--line)}\n"
    "thead th{color:var(--soft);font-weight:600;border-top:0;white-space:nowrap}\n"
    "tbody th{font-weight:600;white-space:nowrap}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums}.d{white-space:nowrap;font-variant-numeric:"
    "tabular-nums}\n"
    "small{display:block;color:var(--mute);font-weight:400;font-size:.8rem;white-space:normal;overflow-wrap:"
    "anywhere}\n"
    ".to{min-width:13rem;overflow-wrap:anywhere}.fix{min-width:13rem}.is{min-width:8rem}\n"
    ".s{white-space:nowrap}.s::before{content:\"\";display:inline-block;width:.6em;height:.6em;border-radius:"
    "50%;"
    "margin-right:.4em;background:var(--mute)}\n"
    ".s0::before{background:var(--red)}.s1::before{background:var(--orange)}.s2::before{background:var(--"
    "blue)}\n"
    ".s4::before,.s5::before{background:none;border:2px solid "
    "var(--mute)}.s6::before{background:var(--green)}\n"
    "details{margin-top:.75rem}summary{cursor:pointer;color:var(--soft)}\n"
    "details table{width:auto;margin-top:.5rem}\n"
    "footer{margin-top:1rem;color:var(--mute);font-size:.85rem}\n"
    /* Where a row is too narrow it is a card, with the names of its columns down its side. */
    "@media screen and (max-width:76rem){.wide table,.wide tbody,.wide tr,.wide th,.wide td{display:block}\n"
    ".wide thead{position:absolute;clip-path:inset(50%)}\n"
    ".wide tr{border-top:1px solid var(--line);padding:.6rem 0}.wide tr:last-child{padding-bottom:0}\n"
    ".wide tbody th,.wide td{position:relative;border:0;padding:.1rem 0 .1rem 7rem;min-width:0;text-align:"
    "left;white-space:normal;overflow-wrap:anywhere}.wide tbody th{padding-left:0}.wide td:empty{display:"
    "none}\n"
    ".wide td::before{position:absolute;left:0;color:var(--mute)}\n"
    ".clients td:nth-child(2)::before{content:\"State\"}.clients "
    "td:nth-child(3)::before{content:\"Software\"}.clients td:nth-child(4)::before{content:\"TLS at "
    "best\"}.clients td:nth-child(5)::before{content:\"What to do\"}.clients "
    "td:nth-child(6)::before{content:\"Goes to\"}.clients td:nth-child(7)::before{content:\"Count\"}.clients "
    "td:nth-child(8)::before{content:\"Seen\"}\n"
    ".rules td:nth-child(2)::before{content:\"Action\"}.rules td:nth-child(3)::before{content:\"Last "
    "day\"}.rules td:nth-child(4)::before{content:\"Days left\"}.rules "
    "td:nth-child(5)::before{content:\"Owner\"}.rules td:nth-child(6)::before{content:\"Ticket\"}}\n"
    "@media(max-width:40rem){body{padding:.75rem}}\n"
    "@media print{body{padding:0;font-size:11px}section{break-inside:avoid;border:0;padding:0}"
    "section.long{break-inside:auto}tr{break-inside:avoid}.wide{overflow:visible}details{display:none}"
    ".to,.fix,.is{min-width:0}}\n";

#define STYLE_HASH "aWNL/MUYldEbuBkw7r6iBF7sj5wN8u+xfdjUV4bPvTk="

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'sha256-" STYLE_HASH "'; base-uri 'none'; form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static void put(struct tf_report_sink *to, const char *markup)
{
    tf_put_text(&to->w, markup);
}

static void put_escaped(struct tf_report_sink *to, const char *text)
{
    tf_put_html_text(&to->w, text, TEXT_MAX);
}

static void put_day_of(struct tf_report_sink *to, int64_t us)
{
    tf_put_day(&to->w, us / 1000000);
}

/* `<small>LABEL TEXT</small>`, or nothing where there is no text. */
static void put_small(struct tf_report_sink *to, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    put(to, "<small>");
    put(to, label);
    put_escaped(to, text);
    put(to, "</small>");
}

static void put_number_cell(struct tf_report_sink *to, uint64_t number)
{
    put(to, "<td class=\"n\">");
    tf_put_u64(&to->w, number);
    put(to, "</td>");
}

/* --- The head. --- */

static void put_title(struct tf_report_sink *to, const struct tf_report *report)
{
    put(to,
        report->floor == TF_TLS13 ? "Clients that a floor of TLS 1.3 would block" : "Clients below TLS 1.2");
}

static void put_tile(struct tf_report_sink *to, const char *label, uint64_t number)
{
    put(to, "<div><dt>");
    put(to, label);
    put(to, "</dt><dd>");
    tf_put_u64(&to->w, number);
    put(to, "</dd></div>");
}

static void put_tiles(struct tf_report_sink *to, const struct tf_report *report)
{
    put(to, "<dl class=\"tiles\">");
    put_tile(to, "left to fix", tf_report_left(report));
    for (int state = 0; state < TF_STATES; state++)
        if (state != TF_STATE_PASSES || report->floor == TF_TLS13)
            put_tile(to, tf_report_state_title((enum tf_report_state)state), report->states[state]);
    put(to, "</dl>\n");
}

static void put_input(struct tf_report_sink *to, const struct tf_report_input *input)
{
    put(to, "<p>Read: ");
    tf_put_report_input(&to->w, input);
    if (input->bad > 0) {
        put(to, "; ");
        tf_put_u64(&to->w, input->bad);
        put(to, " lines were not understood, the first is ");
        put_escaped(to, input->first_bad);
    }
    put(to, input->is_full ? ". There were more clients than fit: those seen least lately are missing.</p>\n"
                           : ".</p>\n");
}

static void put_intro(struct tf_report_sink *to, const struct tf_report *report)
{
    put(to, "<header><h1>");
    put_title(to, report);
    put(to, "</h1><p>");
    tf_put_time(&to->w, report->now_us);
    if (report->since_us != 0) {
        put(to, "; clients seen since ");
        put_day_of(to, report->since_us);
    }
    put(to, "</p>\n");
    if (report->input != NULL)
        put_input(to, report->input);
    put(to, "</header>\n");
}

static void put_unlisted(struct tf_report_sink *to, const struct tf_report *report)
{
    if (report->healthy + report->older == 0)
        return;
    put(to, "<p>Not listed: ");
    tf_put_report_unlisted(&to->w, report);
    put(to, ".</p>\n");
}

/* --- Clients. --- */

static void put_source(struct tf_report_sink *to, const struct tf_report_client *client)
{
    put(to, "<th scope=\"row\">");
    tf_put_addr(&to->w, &client->source);
    put_small(to, "user ", client->user);
    put_small(to, "", client->user_agent);
    put(to, "</th>");
}

static void put_software(struct tf_report_sink *to, const struct tf_report_client *client)
{
    char text[2 * TF_SIGHTING_NAME_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    const struct tf_client_info *info = tf_client_info(client->family);
    tf_put_report_stack(&w, client);
    text[w.len] = '\0';
    put(to, "<td class=\"is\">");
    put_escaped(to, text);
    if (client->family != TF_CLIENT_FAMILY_UNKNOWN)
        put_small(to, info->ability == TF_CLIENT_ABILITY_UNKNOWN ? "ability " : "",
                  tf_client_ability_name(info->ability));
    put(to, "</td>");
}

static void put_versions(struct tf_report_sink *to, uint8_t versions)
{
    enum tf_report_version best = tf_report_best(versions);
    put(to, "<td class=\"d\">");
    put(to, tf_report_version_title(best));
    for (int v = (int)best - 1; v >= TF_REPORT_PLAIN; v--)
        if ((versions & 1 << v) != 0)
            put_small(to, "also ", tf_report_version_title((enum tf_report_version)v));
    put(to, "</td>");
}

static void put_destinations(struct tf_report_sink *to, const struct tf_report_client *client)
{
    put(to, "<td class=\"to\">");
    for (size_t i = 0; i < client->destination_count && i < TOP_DESTINATIONS; i++) {
        const struct tf_report_destination *d = &client->destinations[i];
        char text[TF_AUTHORITY_MAX + 1];
        struct tf_writer w = tf_writer_of(text, sizeof text - 1);
        tf_put_report_destination(&w, d);
        text[w.len] = '\0';
        put(to, "<div>");
        put_escaped(to, text);
        put(to, "<small>");
        put(to, d->is_m365 ? tf_report_area_title(true, d->area) : "");
        put(to, d->is_m365 ? ", " : "");
        tf_put_u64(&to->w, tf_report_sum(d->counts));
        put(to, tf_report_sum(d->counts) == 1 ? " connection</small></div>" : " connections</small></div>");
    }
    if (client->destination_count > TOP_DESTINATIONS) {
        put(to, "<small>and ");
        tf_put_u64(&to->w, client->destination_count - TOP_DESTINATIONS);
        put(to, client->more_destinations > 0 ? " or more others</small>" : " more</small>");
    }
    put(to, "</td>");
}

static void put_count(struct tf_report_sink *to, const struct tf_report_client *client)
{
    put(to, "<td class=\"n\">");
    tf_put_u64(&to->w, tf_report_sum(client->counts));
    for (int outcome = 0; outcome < TF_OUTCOMES; outcome++) {
        static const char *const names[TF_OUTCOMES] = {" blocked", " would be", " upgraded", " passed"};
        if (client->counts[outcome] == 0 || client->counts[outcome] == tf_report_sum(client->counts))
            continue;
        put(to, "<small>");
        tf_put_u64(&to->w, client->counts[outcome]);
        put(to, names[outcome]);
        put(to, "</small>");
    }
    put(to, "</td>");
}

/* Whether its reason is that of a refusal, and not of one that would have been. */
static bool was_refused(const struct tf_report_client *client)
{
    return client->state != TF_STATE_WOULD_BLOCK && client->counts[TF_OUTCOME_BLOCKED] > 0;
}

static void put_fix(struct tf_report_sink *to, const struct tf_report_client *client)
{
    put(to, "<td class=\"fix\">");
    if (client->state == TF_STATE_FIXED) {
        put(to, "nothing: fixed since ");
        put_day_of(to, client->fixed_us);
    } else {
        put_escaped(to, tf_report_fix(client));
        if (client->state != TF_STATE_FALLBACK)
            put_small(to, "article ", tf_client_info(client->family)->article);
    }
    if (client->reason != TF_REASON_NONE)
        put_small(to, was_refused(client) ? "last refusal: " : "would be refused: ",
                  tf_reason_info(client->reason)->sentence);
    put(to, "</td>");
}

static void put_client(struct tf_report_sink *to, const struct tf_report_client *client)
{
    tf_report_make_room(to);
    put(to, "<tr>");
    put_source(to, client);
    put(to, "<td><span class=\"s s");
    tf_put_u64(&to->w, client->state);
    put(to, "\">");
    put(to, tf_report_state_title(client->state));
    put(to, "</span></td>");
    put_software(to, client);
    put_versions(to, client->versions);
    put_fix(to, client);
    put_destinations(to, client);
    put_count(to, client);
    put(to, "<td class=\"d\">");
    put_day_of(to, client->first_us);
    put(to, "<br>");
    put_day_of(to, client->last_us);
    put(to, "</td>");
    put(to, "</tr>\n");
}

static void put_clients(struct tf_report_sink *to, const struct tf_report *report)
{
    put(to, "<section class=\"long\"><h2 id=\"clients\">Clients</h2><p>What to fix first is on top: what is "
            "blocked, then what is upgraded; of those, the latest and the busiest.");
    if (tf_report_has_twins(report)) {
        put(to, " Note: ");
        put(to, tf_report_twins);
        put(to, ".");
    }
    put(to, "</p><div class=\"wide\"><table class=\"clients\" aria-labelledby=\"clients\"><thead><tr>");
    static const char *const columns[] = {"Client",     "State",   "Software", "TLS at best",
                                          "What to do", "Goes to", "Count",    "Seen"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        put(to, "<th scope=\"col\">");
        put(to, columns[i]);
        put(to, "</th>");
    }
    put(to, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < report->client_count; i++)
        put_client(to, &report->clients[i]);
    put(to, "</tbody></table></div></section>\n");
}

/* --- What is behind them. --- */

static void put_burn_down(struct tf_report_sink *to, const struct tf_report *report)
{
    put(to, "<section><h2>Clients left to fix</h2>\n");
    tf_report_draw_burn_down(to, report);
    put(to,
        "<details><summary>Day by day</summary><table><caption>A client is left from the day on which it is "
        "first seen, until it is fixed or has not been seen for 30 days.</caption><thead><tr><th "
        "scope=\"col\">Day"
        "</th><th scope=\"col\">Left</th><th scope=\"col\">New</th><th scope=\"col\">Fixed</th></tr></thead>"
        "<tbody>\n");
    for (size_t i = report->day_count; i-- > 0;) {
        const struct tf_report_day *day = &report->days[i];
        tf_report_make_room(to);
        put(to, "<tr><th scope=\"row\">");
        tf_put_report_day(&to->w, day->day);
        put(to, "</th>");
        put_number_cell(to, day->left);
        put_number_cell(to, day->fresh);
        put_number_cell(to, day->fixed);
        put(to, "</tr>\n");
    }
    put(to, "</tbody></table></details></section>\n");
}

static void put_pictures(struct tf_report_sink *to, const struct tf_report *report)
{
    put_burn_down(to, report);
    put(to, "<div class=\"pair\"><section><h2>Clients left, by software</h2>\n");
    tf_report_draw_stacks(to, report);
    put(to, "</section><section><h2>Connections by area of Microsoft 365</h2>\n");
    tf_report_draw_areas(to, report);
    put(to, "</section></div>\n");
}

static void put_exception(struct tf_report_sink *to, const struct tf_report *report,
                          const struct tf_rule *rule)
{
    int64_t days;
    tf_report_make_room(to);
    put(to, "<tr><th scope=\"row\">");
    put_escaped(to, rule->name);
    put(to, "</th><td>");
    put(to, tf_action_name(rule->action));
    put(to, "</td><td class=\"d\">");
    if (tf_report_days_left(report, rule, &days)) {
        tf_put_report_day(&to->w, rule->until_day);
        put(to, "</td><td class=\"n\">");
        tf_put_i64(&to->w, days);
        put(to, days < 0 ? "<small>it has ended</small>" : "");
    } else {
        put(to, "no end</td><td>");
    }
    put(to, "</td><td>");
    put_escaped(to, rule->owner);
    put(to, "</td><td>");
    put_escaped(to, rule->ticket);
    put(to, "</td></tr>\n");
}

static void put_exceptions(struct tf_report_sink *to, const struct tf_report *report)
{
    if (report->exception_count == 0)
        return;
    put(to,
        "<section><h2 id=\"rules\">Exceptions</h2><p>Rules of the configuration that have an end, an owner "
        "or a ticket; the next to end is on top.</p><div class=\"wide\"><table class=\"rules\" "
        "aria-labelledby=\"rules\"><thead><tr><th scope=\"col\">Rule</th>"
        "<th scope=\"col\">Action</th><th scope=\"col\">Last day</th><th scope=\"col\">Days left</th>"
        "<th scope=\"col\">Owner</th><th scope=\"col\">Ticket</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < report->exception_count; i++)
        put_exception(to, report, report->exceptions[i]);
    put(to, "</tbody></table></div></section>\n");
}

void tf_report_put_html(struct tf_report_sink *to, const struct tf_report *report)
{
    put(to, head);
    put(to, "<title>");
    put_title(to, report);
    put(to, "</title>\n<style>");
    put(to, style);
    put(to, "</style>\n</head>\n<body>\n<main>\n");
    put_intro(to, report);
    put_tiles(to, report);
    put_unlisted(to, report);
    if (report->client_count > 0) {
        put_pictures(to, report);
        put_clients(to, report);
    } else {
        put(to, "<section><p>Nobody: no client was seen below this floor.</p></section>\n");
    }
    put_exceptions(to, report);
    put(to, "<footer>What software a client is, is told by its hello and by what it says of itself: "
            "<em>perhaps</em> and <em>likely</em> mean what they say.</footer>\n</main>\n</body>\n</html>\n");
    tf_report_flush(to);
}
