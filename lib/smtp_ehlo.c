/* Answers to EHLO; see smtp_ehlo.h.
 *
 * A line that says nothing about a leg's TLS or logins stays as it is: SIZE,
 * PIPELINING, 8BITMIME and so on hold end to end, since the gateway passes
 * commands and messages without looking into them. */
#include "smtp_ehlo.h"

#include "mail_login.h"
#include "smtp_line.h"

enum keyword {
    KEYWORD_OTHER,
    KEYWORD_STARTTLS,
    KEYWORD_REQUIRETLS, /* RFC 8689: holds inside TLS only */
    KEYWORD_AUTH,       /* "AUTH" *( SP mechanism )   (RFC 4954 3) */
    KEYWORD_OLD_AUTH,   /* `AUTH=LOGIN ...`: the form of a draft, which old clients look for */
    KEYWORD_BARRED
};

/* Takes the keyword off the front of a line; mechanisms are left. */
static enum keyword take_keyword(struct tf_text *text)
{
    static const char old_auth[] = "AUTH=";
    if (tf_text_begins(*text, old_auth)) {
        text->p += sizeof old_auth - 1;
        text->n -= sizeof old_auth - 1;
        return KEYWORD_OLD_AUTH;
    }
    struct tf_text word = tf_mail_word(text);
    if (tf_text_is_word(word, "AUTH"))
        return KEYWORD_AUTH;
    if (tf_text_is_word(word, "STARTTLS") || tf_text_is_word(word, "X-ANONYMOUSTLS"))
        return KEYWORD_STARTTLS;
    if (tf_text_is_word(word, "REQUIRETLS"))
        return KEYWORD_REQUIRETLS;
    return tf_smtp_is_barred(word) ? KEYWORD_BARRED : KEYWORD_OTHER;
}

static void read_mechanisms(struct tf_text mechanisms, struct tf_smtp_offer *offer)
{
    for (;;) {
        struct tf_text mechanism = tf_mail_word(&mechanisms);
        if (mechanism.n == 0)
            return;
        offer->plain = offer->plain || tf_text_is_word(mechanism, "PLAIN");
        offer->login = offer->login || tf_text_is_word(mechanism, "LOGIN");
        offer->xoauth2 = offer->xoauth2 || tf_text_is_word(mechanism, "XOAUTH2");
    }
}

/* Takes the next line of a reply. */
static struct tf_smtp_reply take_line(struct tf_text *rest)
{
    struct tf_smtp_reply line = {0};
    tf_smtp_read_reply(tf_text_take(rest, '\n'), &line);
    return line;
}

struct tf_smtp_offer tf_smtp_read_offer(struct tf_text reply)
{
    struct tf_smtp_offer offer = {0};
    struct tf_smtp_reply line = take_line(&reply); /* the greeting */
    while (!line.is_last) {
        line = take_line(&reply);
        struct tf_text text = line.text;
        enum keyword keyword = take_keyword(&text);
        offer.starttls = offer.starttls || keyword == KEYWORD_STARTTLS;
        if (keyword == KEYWORD_AUTH || keyword == KEYWORD_OLD_AUTH)
            read_mechanisms(text, &offer);
    }
    return offer;
}

/* An answer being written. Which line is the last is known behind it: its separator is mended then. */
struct answer {
    struct tf_writer *w;
    unsigned code;
    size_t line_at; /* where in the writer the last line begins */
};

static void begin_line(struct answer *a)
{
    a->line_at = a->w->len;
    tf_put_u64(a->w, a->code);
    tf_put_char(a->w, '-');
}

static void put_line(struct answer *a, struct tf_text text)
{
    begin_line(a);
    tf_put(a->w, text.p, text.n);
    tf_put_text(a->w, "\r\n");
}

static void end_answer(struct answer *a)
{
    enum { SEPARATOR = 3 };
    if (!a->w->full)
        a->w->p[a->line_at + SEPARATOR] = ' ';
}

/* One of PLAIN and LOGIN is as good as both: the gateway takes either and says the other. The server's own
 * further mechanisms are between it and the client, unless they depend on the TLS that ends here. */
static void put_mechanisms(struct tf_writer *w, struct tf_text mechanisms, const struct tf_smtp_offer *offer,
                           bool is_bridge)
{
    if (is_bridge ? offer->xoauth2 : offer->plain || offer->login)
        tf_put_text(w, " PLAIN LOGIN");
    while (!is_bridge) {
        struct tf_text mechanism = tf_mail_word(&mechanisms);
        if (mechanism.n == 0)
            return;
        if (tf_mail_login_takes(mechanism) || !tf_mail_mechanism_holds(mechanism))
            continue;
        tf_put_char(w, ' ');
        tf_put(w, mechanism.p, mechanism.n);
    }
}

/* False: there is nothing to choose from, so it is left out. */
static bool put_auth(struct answer *a, struct tf_text mechanisms, bool is_old, bool is_bridge)
{
    struct tf_smtp_offer offer = {0};
    struct answer before = *a;
    size_t len = a->w->len;
    read_mechanisms(mechanisms, &offer);
    begin_line(a);
    tf_put_text(a->w, "AUTH");
    size_t list_at = a->w->len;
    put_mechanisms(a->w, mechanisms, &offer, is_bridge);
    if (a->w->len == list_at) {
        *a = before;
        a->w->len = len;
        return false;
    }
    if (is_old)
        a->w->p[list_at] = '=';
    tf_put_text(a->w, "\r\n");
    return true;
}

/* Of each form of AUTH one line counts: so what is written is bounded. */
static void put_capability(struct answer *a, struct tf_text text, const struct tf_smtp_leg *leg,
                           bool has_auth[2])
{
    struct tf_text rest = text;
    enum keyword keyword = take_keyword(&rest);
    bool is_old = keyword == KEYWORD_OLD_AUTH;
    switch (keyword) {
    case KEYWORD_AUTH:
    case KEYWORD_OLD_AUTH:
        if (leg->auth && !has_auth[is_old])
            has_auth[is_old] = put_auth(a, rest, is_old, leg->is_bridge);
        break;
    case KEYWORD_REQUIRETLS:
        if (leg->is_tls)
            put_line(a, text);
        break;
    case KEYWORD_OTHER:
        put_line(a, text);
        break;
    case KEYWORD_STARTTLS:
    case KEYWORD_BARRED:
        break;
    }
}

void tf_smtp_put_ehlo(struct tf_writer *w, struct tf_text reply, const struct tf_smtp_leg *leg)
{
    struct tf_smtp_reply line = take_line(&reply);
    struct answer a = {.w = w, .code = line.code};
    bool has_auth[2] = {false, false};
    put_line(&a, line.text);
    while (!line.is_last && !leg->is_one_line) {
        line = take_line(&reply);
        put_capability(&a, line.text, leg, has_auth);
    }
    if (leg->starttls && !leg->is_one_line)
        put_line(&a, tf_text_of("STARTTLS"));
    end_answer(&a);
}
