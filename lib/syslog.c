/* Syslog's header and targets; see syslog.h. */
#include "syslog.h"

#include "calendar.h"

#include <string.h>

enum {
    FACILITY_DAEMON = 3,
    SEVERITIES = 8,    /* of a facility, in PRI */
    HOSTNAME_MAX = 255 /* RFC 5424 6.2.4 */
};

static const char prefix[] = "syslog:";
static const char tcp[] = "tcp:";

/* Takes `word` off the front. */
static bool take(const char **text, size_t *n, const char *word)
{
    size_t length = strlen(word);
    if (*n < length || memcmp(*text, word, length) != 0)
        return false;
    *text += length;
    *n -= length;
    return true;
}

bool tf_syslog_is(const char *text, size_t n)
{
    return take(&text, &n, prefix);
}

static const char *parse_path(const char *path, size_t n, struct tf_syslog_target *target)
{
    if (n >= sizeof target->path)
        return "a socket's path has 107 characters at most";
    memcpy(target->path, path, n);
    target->path[n] = '\0';
    return NULL;
}

const char *tf_syslog_parse(const char *text, size_t n, struct tf_syslog_target *target)
{
    static const char usual[] = "/dev/log";
    *target = (struct tf_syslog_target){.transport = TF_SYSLOG_UNIX};
    if (!take(&text, &n, prefix))
        return "it does not begin with syslog:";
    if (n == 0)
        return parse_path(usual, strlen(usual), target);
    if (text[0] == '/')
        return parse_path(text, n, target);
    target->transport = take(&text, &n, tcp) ? TF_SYSLOG_TCP : TF_SYSLOG_UDP;
    enum tf_host_error e = tf_authority_parse(text, n, 0, &target->host);
    return e == TF_HOST_OK ? NULL : tf_host_error_text(e);
}

/* PRINTUSASCII, or else the header would not be one. */
static bool is_hostname(const char *name)
{
    size_t n = 0;
    while (name[n] > ' ' && name[n] <= '~')
        n++;
    return n > 0 && n <= HOSTNAME_MAX && name[n] == '\0';
}

/* RFC 5424 6:
 *
 *   <PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG
 *
 * with `-` for what there is not. */
void tf_put_syslog_header(struct tf_writer *w, const struct tf_syslog_header *header)
{
    tf_put_char(w, '<');
    tf_put_u64(w, FACILITY_DAEMON * SEVERITIES + (uint64_t)header->severity);
    tf_put_text(w, ">1 ");
    tf_put_time(w, header->unix_us);
    tf_put_char(w, ' ');
    tf_put_text(w, is_hostname(header->hostname) ? header->hostname : "-");
    tf_put_text(w, " tlsfloor ");
    tf_put_u64(w, header->process);
    tf_put_char(w, ' ');
    tf_put_text(w, header->message_id);
    tf_put_text(w, " - ");
}
