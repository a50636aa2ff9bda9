/* The page for a person; see person_page.h. Made for the browsers that get
 * to see it, Internet Explorer 6 and Android 2 among them: old HTML, a few
 * lines of CSS, no script, nothing to load. What it says of the client is a
 * guess, and worded as one. */
#include "person_page.h"

#include "calendar.h"
#include "html.h"

/* Texts are cut when they take so much room, so that a response always fits into TF_PERSON_PAGE_MAX. */
enum { VALUE_CUT = 300, HEAD_MAX = 768, BODY_MAX = TF_PERSON_PAGE_MAX - HEAD_MAX };

/* The policy names the style's digest: whatever else might get into the page does not count. */
#define STYLE                                                                                                \
    "body{margin:0;padding:24px 12px;background:#eef1f4;color:#1c2733;font:16px/1.5 Verdana,Arial,"          \
    "sans-serif;word-wrap:break-word}"                                                                       \
    "div{max-width:620px;margin:0 auto;padding:8px 24px 16px;background:#fff;border:1px solid #cdd5dd;"      \
    "border-top:6px solid #b3471d}"                                                                          \
    "h1{font-size:24px;line-height:1.25}h2{font-size:17px;margin:24px 0 0}p{margin:8px 0}a{color:#0b57a4}"   \
    "dl{margin:8px 0;padding:8px 12px;background:#f4f6f8;font-size:14px}dt{color:#526070}"                   \
    "dd{margin:0 0 8px}"
#define STYLE_DIGEST "lHWP1GlpoRg/NivAoMt/ne/XFJrwGwenK3k5NnA/vh8="

static const char before_length[] =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ";
static const char behind_length[] =
    "\r\nConnection: close\r\nCache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'sha256-" STYLE_DIGEST
    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\r\n";

/* What a person can do; of families that are not here, how able they are says it. The rows of clients.def are
 * for those who run the network. */
static const struct {
    enum tf_client_family family;
    const char *advice;
} advices[] = {
    {TF_CLIENT_FAMILY_IE_WIN7,
     "In Internet Explorer open Tools, Internet Options, Advanced, and tick Use TLS "
     "1.2; or use another browser that is kept up to date."},
    {TF_CLIENT_FAMILY_IE_VISTA, "Internet Explorer on Windows Vista cannot do better: use another computer."},
    {TF_CLIENT_FAMILY_IE_XP, "Windows XP cannot do better: use another computer."},
    {TF_CLIENT_FAMILY_IE_WINPHONE8,
     "On a phone, use another device: this one cannot do better. On Windows 8 open Tools, Internet Options, "
     "Advanced, and tick Use TLS 1.2."},
    {TF_CLIENT_FAMILY_SAFARI_LE_604, "Update the system (OS X 10.9 or later), or use another browser."},
    {TF_CLIENT_FAMILY_OPERA_PRESTO, "Use another browser, one that is kept up to date."},
    {TF_CLIENT_FAMILY_ANDROID_LE_43, "The browser that came with this device cannot do better: install "
                                     "another one, or use another device."},
};

static const char *advice_of(enum tf_client_family family)
{
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        if (advices[i].family == family)
            return advices[i].advice;
    switch (tf_client_info(family)->ability) {
    case TF_CLIENT_UNABLE:
        return "It cannot do better: use another browser, or another device.";
    case TF_CLIENT_UPDATE:
        return "Update it, or use another browser, and try again.";
    case TF_CLIENT_CONFIGURABLE:
        return "It could do better, and a setting keeps it from that: have somebody look at it who looks "
               "after this device.";
    case TF_CLIENT_ABILITY_UNKNOWN:
        break;
    }
    return "Update your browser, or use another one, and try again.";
}

/* By its family: how it was recognised is nothing for whoever has it in front of them. */
static void put_guess(struct tf_writer *w, const struct tf_client *client)
{
    static const char *const verbs[] = {[TF_CLIENT_POSSIBLE] = "This is perhaps ",
                                        [TF_CLIENT_LIKELY] = "This looks like ",
                                        [TF_CLIENT_CERTAIN] = "This is "};
    if (client->family == TF_CLIENT_FAMILY_UNKNOWN)
        return;
    tf_put_text(w, verbs[client->certainty]);
    tf_put_html_text(w, tf_client_info(client->family)->name, VALUE_CUT);
    tf_put_text(w, ". ");
}

static struct tf_client client_of(const struct tf_facts *facts)
{
    return tf_client_identify(facts->has_hello ? &facts->hello : NULL, facts->user_agent, facts->greeting);
}

bool tf_person_is_there(const struct tf_facts *facts)
{
    return tf_client_is_browser(facts->has_hello ? &facts->hello : NULL, facts->user_agent,
                                client_of(facts).family);
}

static void put_version(struct tf_writer *w, uint16_t version)
{
    tf_put_text(w, "<b>TLS ");
    tf_put_short_version(w, version);
    tf_put_text(w, "</b>");
}

static void put_what(struct tf_writer *w, const struct tf_facts *facts, uint16_t floor)
{
    tf_put_text(w, "<h1>The encryption of this browser is out of date</h1>\n<p>Your browser asked for <b>");
    tf_put_html_text(w, tf_policy_host(facts), VALUE_CUT);
    tf_put_text(w, "</b> with ");
    put_version(w, facts->hello.max_version);
    tf_put_text(w, ", which is too old for this network: its gateway lets only ");
    put_version(w, floor);
    tf_put_text(w, floor == TF_TLS13 ? "" : " and later");
    tf_put_text(w, " pass. It has stopped the connection. This page comes from the gateway, and nothing that "
                   "you have asked for or filled in was sent on.</p>\n");
}

static void put_advice(struct tf_writer *w, const struct tf_facts *facts)
{
    struct tf_client client = client_of(facts);
    tf_put_text(w, "<h2>What to do</h2>\n<p>");
    put_guess(w, &client);
    tf_put_text(w, advice_of(client.family));
    tf_put_text(w, "</p>\n");
}

static void put_paragraph(struct tf_writer *w, const char *text, size_t max)
{
    if (text[0] == '\0')
        return;
    tf_put_text(w, "<p>");
    tf_put_html_text(w, text, max * TF_HTML_GROWTH);
    tf_put_text(w, "</p>\n");
}

static void put_link(struct tf_writer *w, const char *link)
{
    if (link[0] == '\0')
        return;
    tf_put_text(w, "<p><a href=\"");
    tf_put_html_text(w, link, TF_PAGE_LINK_MAX * TF_HTML_GROWTH);
    tf_put_text(w, "\">");
    tf_put_html_text(w, link, TF_PAGE_LINK_MAX * TF_HTML_GROWTH);
    tf_put_text(w, "</a></p>\n");
}

static void put_whom(struct tf_writer *w, const struct tf_page *page)
{
    tf_put_text(w, "<h2>Whom to ask</h2>\n");
    put_paragraph(w, page->contact, TF_PAGE_CONTACT_MAX);
    put_link(w, page->link);
    if (page->contact[0] == '\0' && page->link[0] == '\0')
        put_paragraph(w, "Whoever looks after this network.", TF_PAGE_CONTACT_MAX);
}

static void open_row(struct tf_writer *w, const char *name)
{
    tf_put_text(w, "<dt>");
    tf_put_text(w, name);
    tf_put_text(w, "</dt><dd>");
}

static void close_row(struct tf_writer *w)
{
    tf_put_text(w, "</dd>\n");
}

static void put_row(struct tf_writer *w, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    open_row(w, name);
    tf_put_html_text(w, value, VALUE_CUT);
    close_row(w);
}

/* What finds the record: its time and source are the same to the last digit. */
static void put_reference(struct tf_writer *w, const struct tf_facts *facts)
{
    char text[TF_AUTHORITY_MAX + 1];
    struct tf_writer authority = tf_writer_of(text, sizeof text - 1);
    tf_put_authority(&authority, &facts->target, 0);
    text[authority.len] = '\0';
    tf_put_text(w, "<p>Have this at hand:</p>\n<dl>\n");
    open_row(w, "Time");
    tf_put_time(w, facts->started_us);
    close_row(w);
    open_row(w, "Your device");
    tf_put_addr_port(w, &facts->source);
    close_row(w);
    put_row(w, "Destination", text);
    put_row(w, "Rule", facts->rule->name);
    put_row(w, "Its owner", facts->rule->owner);
    put_row(w, "Its ticket", facts->rule->ticket);
    put_row(w, "Code", tf_reason_info(facts->reason)->code);
    tf_put_text(w, "</dl>\n");
}

static void put_body(struct tf_writer *w, const struct tf_facts *facts, uint16_t floor)
{
    tf_put_text(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                   "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<title>This browser is out of date</title>\n<style type=\"text/css\">" STYLE "</style>\n"
                   "</head>\n<body>\n<div>\n");
    put_what(w, facts, floor);
    put_paragraph(w, facts->page->text, TF_PAGE_TEXT_MAX);
    put_advice(w, facts);
    put_whom(w, facts->page);
    put_reference(w, facts);
    tf_put_text(w, "</div>\n</body>\n</html>\n");
}

void tf_put_person_page(struct tf_writer *w, const struct tf_facts *facts, uint16_t floor, bool is_bodiless)
{
    char body_text[BODY_MAX];
    struct tf_writer body = tf_writer_of(body_text, sizeof body_text);
    size_t before = w->len;
    put_body(&body, facts, floor);
    tf_put_text(w, before_length);
    tf_put_u64(w, body.len);
    tf_put_text(w, behind_length);
    if (!is_bodiless)
        tf_put(w, body_text, body.len);
    w->full |= body.full;
    if (w->full)
        w->len = before;
}
