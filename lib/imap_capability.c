/* Capabilities in what an IMAP server says, brought into line with the
 * client's leg; see imap_line.h. They come as data of their own, and as a
 * code in the text of a status response (RFC 9051 7.1, 7.2.2):
 *
 *     * CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED
 *     * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready
 *     a1 OK [CAPABILITY IMAP4rev1 IDLE] logged in
 */
#include "imap_line.h"

#include <string.h>

static const char code_begin[] = "[CAPABILITY";

/* A line cut into three; without capabilities all of it is `before`. */
struct cut {
    struct tf_text before, words, after;
};

static struct tf_text from_to(const char *from, const char *to)
{
    return (struct tf_text){from, (size_t)(to - from)};
}

static struct cut cut_at(struct tf_text line, const char *begin, const char *end)
{
    return (struct cut){from_to(line.p, begin), from_to(begin, end), from_to(end, line.p + line.n)};
}

static struct cut find_code(struct tf_text line)
{
    struct tf_text rest = line;
    tf_text_take(&rest, ' '); /* the tag, or the star */
    tf_mail_word(&rest);      /* the status */
    if (tf_text_begins(rest, code_begin)) {
        const char *words = rest.p + strlen(code_begin), *end = line.p + line.n;
        const char *close = memchr(words, ']', (size_t)(end - words));
        if (close != NULL)
            return cut_at(line, words, close);
    }
    return (struct cut){.before = line};
}

static struct cut find_capabilities(struct tf_text line)
{
    struct tf_text rest = line;
    struct tf_text first = tf_text_take(&rest, ' ');
    struct tf_text word = tf_mail_word(&rest);
    if (tf_text_is(first, "*") && tf_text_is_word(word, "CAPABILITY"))
        return cut_at(line, word.p + word.n, line.p + line.n - strlen("\r\n"));
    return find_code(line);
}

static bool holds(struct tf_text word, const struct tf_mail_offer *offer)
{
    static const char auth[] = "AUTH=";
    bool is_servers = offer->has_login && !offer->is_bridge; /* the server's own logins are the client's */
    if (tf_text_is_word(word, "STARTTLS"))
        return false;
    if (tf_text_is_word(word, "LOGINDISABLED"))
        return is_servers;
    if (!tf_text_begins(word, auth))
        return true;
    size_t n = strlen(auth);
    return is_servers && tf_mail_mechanism_holds((struct tf_text){word.p + n, word.n - n});
}

static void put_words(struct tf_writer *w, struct tf_text words, const struct tf_mail_offer *offer)
{
    while (words.n > 0) {
        struct tf_text word = tf_mail_word(&words);
        if (word.n == 0 || !holds(word, offer))
            continue;
        tf_put_char(w, ' ');
        tf_put(w, word.p, word.n);
    }
    if (offer->has_starttls)
        tf_put_text(w, " STARTTLS");
    if (!offer->has_login)
        tf_put_text(w, " LOGINDISABLED");
    else if (offer->is_bridge)
        tf_put_text(w, " AUTH=PLAIN AUTH=LOGIN");
}

void tf_imap_put_response(struct tf_writer *w, struct tf_text line, const struct tf_mail_offer *offer)
{
    struct cut cut = find_capabilities(line);
    tf_put(w, cut.before.p, cut.before.n);
    if (cut.words.p == NULL)
        return;
    put_words(w, cut.words, offer);
    tf_put(w, cut.after.p, cut.after.n);
}

void tf_imap_put_uncapable(struct tf_writer *w, struct tf_text line)
{
    struct cut cut = find_code(line);
    if (cut.words.p == NULL) {
        tf_put(w, line.p, line.n);
        return;
    }
    tf_put(w, cut.before.p, cut.before.n - strlen(code_begin));
    struct tf_text text = from_to(cut.after.p + strlen("]"), line.p + line.n);
    if (text.n > 0 && text.p[0] == ' ')
        text = from_to(text.p + 1, line.p + line.n);
    tf_put(w, text.p, text.n);
}
