/* The refusal as an HTTP response; see page.h. What to say comes from
 * reasons.def; this file knows how HTTP and HTML say it, and how to quote. */
#include "page.h"
#include "html.h"
#include "policy.h"

#include <string.h>

/* Texts are cut when they take so much room, so that a response always fits into TF_PAGE_MAX. */
enum { DETAIL_CUT = 160, NAME_CUT = 64, OWN_CUT = 600, HEAD_MAX = 768, BODY_MAX = TF_PAGE_MAX - HEAD_MAX };

static const char *status_text(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 407:
        return "Proxy Authentication Required";
    case 408:
        return "Request Timeout";
    case 421:
        return "Misdirected Request";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    case 504:
        return "Gateway Timeout";
    default:
        return "Refused"; /* RFC 9112 4: the phrase means nothing to software */
    }
}

/* The inside of an sf-string (RFC 8941 3.3.3). */
static void put_sf_text(struct tf_writer *w, const char *text, size_t max)
{
    for (size_t end = w->len + max; *text != '\0' && w->len < end; text++) {
        if (*text == '"' || *text == '\\')
            tf_put_char(w, '\\');
        tf_put_char(w, *text >= 0x20 && *text <= 0x7e ? *text : '?');
    }
}

static void put_row(struct tf_writer *w, const char *name, const char *value, size_t max)
{
    if (value[0] == '\0')
        return;
    tf_put_text(w, "<dt>");
    tf_put_text(w, name);
    tf_put_text(w, "</dt><dd>");
    tf_put_html_text(w, value, max);
    tf_put_text(w, "</dd>\n");
}

static void put_destination(struct tf_writer *w, const struct tf_target *target)
{
    char text[TF_AUTHORITY_MAX + 1];
    struct tf_writer t = tf_writer_of(text, TF_AUTHORITY_MAX);
    tf_put_authority(&t, target, 0);
    text[t.len] = '\0';
    put_row(w, "Destination", text, sizeof text);
}

/* In the words of [page]. */
static void put_company(struct tf_writer *w, const struct tf_page *page)
{
    put_row(w, "What else there is to know", page->text, OWN_CUT);
    put_row(w, "Whom to ask", page->contact, OWN_CUT);
    put_row(w, "Where to read more", page->link, OWN_CUT);
}

static void put_body(struct tf_writer *w, const struct tf_facts *facts, const char *title)
{
    const struct tf_reason_info *info = tf_reason_info(facts->reason);
    tf_put_text(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    tf_put_text(w, title);
    tf_put_text(w,
                "</title>\n<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}"
                "dt{font-weight:bold}dd{margin:0 0 1em}</style>\n</head>\n<body>\n<h1>");
    tf_put_text(w, title);
    tf_put_text(w, "</h1>\n<p>The gateway <b>tlsfloor</b> ended this connection: ");
    tf_put_html_text(w, info->sentence, DETAIL_CUT);
    tf_put_text(w, ".</p>\n<dl>\n");
    if (facts->detail != NULL)
        put_row(w, "More precisely", facts->detail, DETAIL_CUT);
    if (facts->has_target)
        put_destination(w, &facts->target);
    if (facts->rule != NULL) {
        put_row(w, "Rule", facts->rule->name, NAME_CUT);
        put_row(w, "Its owner", facts->rule->owner, NAME_CUT);
        put_row(w, "Its ticket", facts->rule->ticket, NAME_CUT);
    }
    put_row(w, "What to do", info->advice, DETAIL_CUT);
    if (facts->page != NULL)
        put_company(w, facts->page);
    put_row(w, "Code, for whoever runs the gateway", info->code, NAME_CUT);
    tf_put_text(w, "</dl>\n</body>\n</html>\n");
}

static void put_head(struct tf_writer *w, const struct tf_facts *facts, unsigned status, const char *title,
                     size_t body_len)
{
    const struct tf_reason_info *info = tf_reason_info(facts->reason);
    tf_put_text(w, "HTTP/1.1 ");
    tf_put_text(w, title);
    tf_put_text(w, "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ");
    tf_put_u64(w, body_len);
    tf_put_text(w, "\r\nConnection: close\r\nProxy-Status: tlsfloor; error=");
    tf_put_text(w, info->proxy_error);
    tf_put_text(w, "; details=\"");
    put_sf_text(w, info->sentence, DETAIL_CUT);
    if (facts->detail != NULL) {
        tf_put_text(w, ": ");
        put_sf_text(w, facts->detail, DETAIL_CUT);
    }
    tf_put_text(w, "\"\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (status == 407) /* RFC 7617 2.1 */
        tf_put_text(w, "Proxy-Authenticate: Basic realm=\"tlsfloor\", charset=\"UTF-8\"\r\n");
    tf_put_text(w, "\r\n");
}

void tf_put_http_refusal(struct tf_writer *w, const struct tf_facts *facts)
{
    /* Plain HTTP on a TLS port is a mistake, not a thing that is forbidden. */
    bool misplaced = facts->reason == TF_REASON_CLIENT_NOT_TLS && facts->looks_like_http;
    unsigned status = misplaced ? 400 : tf_reason_info(facts->reason)->http_status;
    char title_text[64], head_text[HEAD_MAX], body_text[BODY_MAX];
    struct tf_writer title = tf_writer_of(title_text, sizeof title_text - 1);
    struct tf_writer head = tf_writer_of(head_text, sizeof head_text);
    struct tf_writer body = tf_writer_of(body_text, sizeof body_text);

    tf_put_u64(&title, status);
    tf_put_char(&title, ' ');
    tf_put_text(&title, status_text(status));
    title_text[title.len] = '\0';
    put_body(&body, facts, title_text);
    put_head(&head, facts, status, title_text, body.len);
    if (head.full || body.full || head.len + body.len > w->cap - w->len) {
        w->full = true;
        return;
    }
    tf_put(w, head_text, head.len);
    tf_put(w, body_text, body.len);
}
