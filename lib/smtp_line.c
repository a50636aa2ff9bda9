/* Lines of SMTP; see smtp_line.h. */
#include "smtp_line.h"

#include "mail_line.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

bool tf_smtp_is_barred(struct tf_text word)
{
    static const char *const barred[] = {"XCLIENT",      "XFORWARD", "XEXCH50", "X-EXPS",
                                         "X-LINK2STATE", "TURN",     "ATRN"};
    for (size_t i = 0; i < COUNT(barred); i++)
        if (tf_text_is_word(word, barred[i]))
            return true;
    return false;
}

static enum tf_smtp_verb verb_of(struct tf_text word)
{
    static const struct {
        const char *word;
        enum tf_smtp_verb verb;
    } verbs[] = {
        {"EHLO", TF_SMTP_EHLO},         {"HELO", TF_SMTP_HELO}, {"NOOP", TF_SMTP_NOOP},
        {"RSET", TF_SMTP_RSET},         {"HELP", TF_SMTP_HELP}, {"QUIT", TF_SMTP_QUIT},
        {"STARTTLS", TF_SMTP_STARTTLS}, {"AUTH", TF_SMTP_AUTH}, {"X-ANONYMOUSTLS", TF_SMTP_STARTTLS},
        {"DATA", TF_SMTP_DATA},         {"BDAT", TF_SMTP_BDAT},
    };
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (tf_text_is_word(word, verbs[i].word))
            return verbs[i].verb;
    return tf_smtp_is_barred(word) ? TF_SMTP_BARRED : TF_SMTP_OTHER;
}

struct tf_smtp_command tf_smtp_read_command(struct tf_text line)
{
    struct tf_text rest = line;
    struct tf_text word = tf_mail_word(&rest);
    return (struct tf_smtp_command){verb_of(word), rest};
}

/* Reply-line = *( code "-" [ textstring ] CRLF ) code [ SP textstring ] CRLF   (RFC 5321 4.2) */
bool tf_smtp_read_reply(struct tf_text line, struct tf_smtp_reply *out)
{
    enum { CODE = 3, MAX = 599 };
    struct tf_text rest = line;
    while (rest.n > 0 && (rest.p[rest.n - 1] == '\n' || rest.p[rest.n - 1] == '\r'))
        rest.n--;
    uint64_t code;
    if (rest.n < CODE || !tf_text_number((struct tf_text){rest.p, CODE}, MAX, &code))
        return false;
    char separator = rest.n > CODE ? rest.p[CODE] : ' ';
    if (code < 200 || (separator != ' ' && separator != '-'))
        return false;
    size_t head = rest.n > CODE ? CODE + 1 : CODE;
    *out = (struct tf_smtp_reply){(unsigned)code, separator == ' ', {rest.p + head, rest.n - head}};
    return true;
}

bool tf_smtp_read_chunk(struct tf_text argument, uint64_t *n)
{
    struct tf_text rest = argument;
    struct tf_text size = tf_mail_word(&rest);
    return tf_text_number(size, INT64_MAX, n) && (rest.n == 0 || tf_text_is_word(rest, "LAST"));
}
