/* Lines of POP3; see pop3_line.h. */
#include "pop3_line.h"

#include <string.h>

bool tf_pop3_read_command(struct tf_text line, struct tf_pop3_command *out)
{
    static const struct {
        const char *word;
        enum tf_pop3_verb verb;
    } verbs[] = {{"NOOP", TF_POP3_NOOP}, {"CAPA", TF_POP3_CAPA}, {"QUIT", TF_POP3_QUIT},
                 {"STLS", TF_POP3_STLS}, {"USER", TF_POP3_USER}, {"PASS", TF_POP3_PASS},
                 {"APOP", TF_POP3_APOP}, {"AUTH", TF_POP3_AUTH}};
    struct tf_text rest = tf_mail_text(line);
    struct tf_text word = tf_text_take(&rest, ' ');
    *out = (struct tf_pop3_command){.verb = TF_POP3_OTHER, .args = rest};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (tf_text_is_word(word, verbs[i].word))
            out->verb = verbs[i].verb;
    bool is_alone = tf_text_trim(rest).n == 0;
    if (out->verb == TF_POP3_AUTH && is_alone)
        out->verb = TF_POP3_AUTH_LIST;
    if (tf_text_is_word(word, "LANG") && is_alone)
        out->verb = TF_POP3_LANG_LIST;
    return word.n > 0;
}

bool tf_pop3_is_list(enum tf_pop3_verb verb)
{
    return verb == TF_POP3_CAPA || verb == TF_POP3_AUTH_LIST || verb == TF_POP3_LANG_LIST;
}

enum tf_pop3_status tf_pop3_read_status(struct tf_text line)
{
    struct tf_text rest = tf_mail_text(line);
    struct tf_text word = tf_text_take(&rest, ' ');
    if (tf_text_is_word(word, "+OK"))
        return TF_POP3_OK;
    if (tf_text_is_word(word, "-ERR"))
        return TF_POP3_ERR;
    return tf_text_is(word, "+") ? TF_POP3_CONTINUE : TF_POP3_NONSENSE;
}

/* `SASL PLAIN GSSAPI` without what does not hold; nothing, if nothing holds. */
static void put_sasl(struct tf_writer *w, struct tf_text mechanisms)
{
    bool is_first = true;
    while (mechanisms.n > 0) {
        struct tf_text mechanism = tf_mail_word(&mechanisms);
        if (!tf_mail_mechanism_holds(mechanism))
            continue;
        tf_put_text(w, is_first ? "SASL " : " ");
        tf_put(w, mechanism.p, mechanism.n);
        is_first = false;
    }
    if (!is_first)
        tf_put_text(w, "\r\n");
}

static void put_capability(struct tf_writer *w, struct tf_text line, const struct tf_mail_offer *offer)
{
    bool is_servers = offer->has_login && !offer->is_bridge; /* the server's own logins are the client's */
    struct tf_text rest = tf_mail_text(line);
    struct tf_text word = tf_mail_word(&rest);
    bool is_sasl = tf_text_is_word(word, "SASL");
    if (tf_text_is_word(word, "STLS") || ((is_sasl || tf_text_is_word(word, "USER")) && !is_servers))
        return;
    if (is_sasl)
        put_sasl(w, rest);
    else
        tf_put(w, line.p, line.n);
}

static void put_own(struct tf_writer *w, enum tf_pop3_verb verb, const struct tf_mail_offer *offer)
{
    bool is_bridge = offer->has_login && offer->is_bridge;
    if (verb == TF_POP3_CAPA && offer->has_starttls)
        tf_put_text(w, "STLS\r\n");
    if (verb == TF_POP3_CAPA && is_bridge)
        tf_put_text(w, "USER\r\nSASL PLAIN LOGIN\r\n");
    if (verb == TF_POP3_AUTH_LIST && is_bridge)
        tf_put_text(w, "PLAIN\r\nLOGIN\r\n");
}

void tf_pop3_put_listed(struct tf_writer *w, enum tf_pop3_verb verb, struct tf_text line,
                        const struct tf_mail_offer *offer)
{
    bool is_last = tf_text_is(line, ".\r\n");
    bool is_servers = offer->has_login && !offer->is_bridge;
    if (is_last)
        put_own(w, verb, offer);
    if (verb == TF_POP3_CAPA && !is_last)
        put_capability(w, line, offer);
    else if (is_last || verb == TF_POP3_LANG_LIST ||
             (is_servers && tf_mail_mechanism_holds(tf_mail_text(line))))
        tf_put(w, line.p, line.n);
}
