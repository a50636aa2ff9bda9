/* Lines of a mail dialogue; see mail_line.h. */
#include "mail_line.h"

#include <string.h>

/* Beside the line itself: a prompt, an answer, or the longest of all, an OAuth token of 8 KiB in base64. */
enum { SLACK = 12 * 1024 };

enum tf_mail_line tf_mail_line_take(struct tf_span in, size_t max, struct tf_text *line)
{
    const char *p = (const char *)in.p;
    size_t n = in.n < max ? in.n : max;
    if (n == 0)
        return TF_MAIL_LINE_MORE;
    const char *lf = memchr(p, '\n', n);
    if (lf != NULL)
        n = (size_t)(lf - p) + 1;
    const char *cr = memchr(p, '\r', n);
    bool is_cr_last = lf != NULL ? cr != NULL && cr + 1 == lf : cr == NULL || cr + 1 == p + n;
    if (!is_cr_last || memchr(p, '\0', n) != NULL)
        return TF_MAIL_LINE_BAD;
    *line = (struct tf_text){p, n};
    if (lf != NULL)
        return TF_MAIL_LINE_DONE;
    return n == max ? TF_MAIL_LINE_BAD : TF_MAIL_LINE_MORE;
}

struct tf_text tf_mail_word(struct tf_text *rest)
{
    struct tf_text all = tf_text_trim(*rest);
    size_t n = 0;
    while (n < all.n && all.p[n] != ' ' && all.p[n] != '\t')
        n++;
    *rest = n > 0 ? tf_text_trim((struct tf_text){all.p + n, all.n - n}) : all;
    return (struct tf_text){all.p, n};
}

struct tf_text tf_mail_text(struct tf_text line)
{
    return (struct tf_text){line.p, line.n - strlen("\r\n")};
}

bool tf_mail_mechanism_holds(struct tf_text mechanism)
{
    static const char *const bound[] = {"GSSAPI", "GSS-SPNEGO", "NTLM", "KERBEROS_V4", "EXTERNAL"};
    static const char plus[] = "-PLUS";
    size_t n = sizeof plus - 1;
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++)
        if (tf_text_is_word(mechanism, bound[i]))
            return false;
    return mechanism.n < n || !tf_text_is_word((struct tf_text){mechanism.p + mechanism.n - n, n}, plus);
}

struct tf_span tf_mail_rest(const struct tf_feed_io *io)
{
    if (io->used == 0)
        return io->in;
    return (struct tf_span){io->in.p + io->used, io->in.n - io->used};
}

bool tf_mail_has_room(const struct tf_feed_io *io, size_t n)
{
    const struct tf_writer *c = io->to_client, *s = io->to_server;
    return c->cap - c->len >= n + SLACK && s->cap - s->len >= n + SLACK;
}

enum tf_feed tf_mail_fail(struct tf_facts *facts, enum tf_reason reason, const char *detail)
{
    facts->reason = reason;
    facts->detail = detail;
    return TF_FEED_BAD;
}

/* A device that is set to TLS from the first byte does not wait for the greeting: its hello stands where a
 * command belongs. */
enum tf_feed tf_mail_not_spoken(const struct tf_feed_io *io, struct tf_facts *facts)
{
    enum { TLS_HANDSHAKE = 0x16 }; /* content type of a TLS record */
    struct tf_span rest = tf_mail_rest(io);
    bool is_tls = rest.n > 0 && rest.p[0] == TLS_HANDSHAKE;
    return tf_mail_fail(
        facts, TF_REASON_MAIL_MALFORMED,
        is_tls ? "the client begins with TLS at once: set it to STARTTLS, or write client_tls = implicit"
               : NULL);
}

void tf_mail_note_refused_token(struct tf_facts *facts)
{
    facts->is_token_refused = true;
    facts->answer = &tf_mail_token_refused;
}

void tf_mail_refuse(struct tf_writer *to_client, const char *begin, const struct tf_facts *facts)
{
    tf_put_text(to_client, begin);
    tf_put_text(to_client, tf_reason_info(facts->reason)->sentence);
    tf_put_text(to_client, "\r\n");
}
