/* Lines of IMAP: commands, literals, responses; see imap_line.h. */
#include "imap_line.h"

#include "sasl.h"
#include <string.h>

/* RFC 9051 9: tag, that is ASTRING-CHAR without `+`. */
static bool is_tag(struct tf_text t)
{
    for (size_t i = 0; i < t.n; i++)
        if (t.p[i] <= ' ' || t.p[i] > '~' || strchr("(){%*\"\\+", t.p[i]) != NULL)
            return false;
    return t.n > 0 && t.n < TF_IMAP_TAG_MAX;
}

static enum tf_imap_verb verb_of(struct tf_text word)
{
    static const struct {
        const char *word;
        enum tf_imap_verb verb;
    } verbs[] = {
        {"CAPABILITY", TF_IMAP_HARMLESS},
        {"NOOP", TF_IMAP_HARMLESS},
        {"ID", TF_IMAP_HARMLESS},
        {"LOGOUT", TF_IMAP_LOGOUT},
        {"STARTTLS", TF_IMAP_STARTTLS},
        {"LOGIN", TF_IMAP_LOGIN},
        {"AUTHENTICATE", TF_IMAP_AUTHENTICATE},
    };
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (tf_text_is_word(word, verbs[i].word))
            return verbs[i].verb;
    return TF_IMAP_OTHER;
}

bool tf_imap_read_command(struct tf_text line, struct tf_imap_command *out)
{
    struct tf_text rest = tf_mail_text(line);
    out->tag = tf_text_take(&rest, ' ');
    struct tf_text verb = tf_mail_word(&rest);
    out->verb = verb_of(verb);
    out->args = rest;
    return is_tag(out->tag) && verb.n > 0;
}

bool tf_imap_read_literal(struct tf_text line, size_t max, struct tf_imap_literal *out)
{
    struct tf_text t = tf_mail_text(line);
    uint64_t n;
    *out = (struct tf_imap_literal){.is_there = false};
    if (t.n == 0 || t.p[t.n - 1] != '}')
        return true;
    const char *brace = memrchr(t.p, '{', t.n);
    if (brace == NULL)
        return true;
    struct tf_text inside = {brace + 1, (size_t)(t.p + t.n - brace) - 2};
    out->is_there = true;
    out->is_awaited = inside.n == 0 || inside.p[inside.n - 1] != '+';
    if (!out->is_awaited)
        inside.n--;
    if (!tf_text_number(inside, max, &n))
        return false;
    out->n = (size_t)n;
    return true;
}

/* One piece of text at the front of what is left of a command (RFC 9051 9, astring). */
static bool take_quoted(struct tf_text *rest, struct tf_writer *w)
{
    size_t i = 1;
    while (i < rest->n && rest->p[i] != '"') {
        if (rest->p[i] == '\\')
            i++;
        if (i < rest->n)
            tf_put_char(w, rest->p[i++]);
    }
    if (i >= rest->n)
        return false;
    *rest = (struct tf_text){rest->p + i + 1, rest->n - i - 1};
    return true;
}

static bool take_literal(struct tf_text *rest, struct tf_writer *w)
{
    const char *end = memchr(rest->p, '\n', rest->n);
    if (end == NULL)
        return false;
    size_t line = (size_t)(end - rest->p) + 1;
    struct tf_imap_literal literal;
    if (!tf_imap_read_literal((struct tf_text){rest->p, line}, rest->n - line, &literal) || !literal.is_there)
        return false;
    tf_put(w, rest->p + line, literal.n);
    *rest = (struct tf_text){rest->p + line + literal.n, rest->n - line - literal.n};
    return true;
}

static bool take_atom(struct tf_text *rest, struct tf_writer *w)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] > ' ' && rest->p[n] <= '~' && strchr("(){\"", rest->p[n]) == NULL)
        n++;
    tf_put(w, rest->p, n);
    *rest = (struct tf_text){rest->p + n, rest->n - n};
    return n > 0;
}

static bool take_astring(struct tf_text *rest, char out[TF_USER_MAX])
{
    struct tf_writer w = tf_writer_of(out, TF_USER_MAX - 1);
    bool is_taken;
    if (rest->n == 0)
        return false;
    if (rest->p[0] == '"')
        is_taken = take_quoted(rest, &w);
    else if (rest->p[0] == '{')
        is_taken = take_literal(rest, &w);
    else
        is_taken = take_atom(rest, &w);
    out[w.len] = '\0';
    return is_taken && !w.full && memchr(out, '\0', w.len) == NULL;
}

static bool take_login(struct tf_text rest, struct tf_login *out)
{
    if (!take_astring(&rest, out->user) || out->user[0] == '\0' || rest.n == 0 || rest.p[0] != ' ')
        return false;
    rest = (struct tf_text){rest.p + 1, rest.n - 1};
    return take_astring(&rest, out->password) && tf_text_trim(rest).n == 0;
}

bool tf_imap_read_login(struct tf_text args, struct tf_login *out)
{
    bool is_taken = take_login(args, out);
    if (!is_taken)
        tf_login_wipe(out);
    return is_taken;
}

static enum tf_imap_status status_of(struct tf_text word)
{
    if (tf_text_is_word(word, "OK"))
        return TF_IMAP_OK;
    if (tf_text_is_word(word, "NO") || tf_text_is_word(word, "BAD"))
        return TF_IMAP_NO;
    if (tf_text_is_word(word, "PREAUTH"))
        return TF_IMAP_PREAUTH;
    return tf_text_is_word(word, "BYE") ? TF_IMAP_BYE : TF_IMAP_DATA;
}

struct tf_imap_response tf_imap_read_response(struct tf_text line, const char *tag)
{
    struct tf_text rest = tf_mail_text(line);
    struct tf_text first = tf_text_take(&rest, ' ');
    struct tf_imap_response r = {.said = TF_IMAP_NONSENSE, .status = status_of(tf_mail_word(&rest))};
    if (tf_text_is(first, "*"))
        r.said = TF_IMAP_UNTAGGED;
    else if (tf_text_is(first, "+"))
        r.said = TF_IMAP_CONTINUE;
    else if (first.n > 0 && tf_text_is(first, tag) && (r.status == TF_IMAP_OK || r.status == TF_IMAP_NO))
        r.said = TF_IMAP_TAGGED;
    return r;
}
