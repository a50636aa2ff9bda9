/* What a syslog message (RFC 5424) has around it, and how a setting names
 * where it goes. Sockets are proxy/sink_syslog.c's business. */
#ifndef TF_SYSLOG_H
#define TF_SYSLOG_H

#include "host.h"

enum tf_syslog_transport {
    TF_SYSLOG_UNIX, /* a socket of this machine */
    TF_SYSLOG_UDP,  /* RFC 5426: a datagram each */
    TF_SYSLOG_TCP   /* RFC 6587 3.4.1: the length in front */
};

#define TF_SYSLOG_PATH_MAX 108 /* as in struct sockaddr_un, with the NUL */

struct tf_syslog_target {
    enum tf_syslog_transport transport;
    char path[TF_SYSLOG_PATH_MAX]; /* of TF_SYSLOG_UNIX */
    struct tf_target host;         /* of the others */
};

/* Whether a setting names a syslog: it begins with `syslog:`. */
bool tf_syslog_is(const char *text, size_t n);
/* `syslog:` (/dev/log), `syslog:/PATH`, `syslog:HOST:PORT`, `syslog:tcp:HOST:PORT`. NULL when it is one of
 * these; else a fixed sentence that says what is wrong. */
const char *tf_syslog_parse(const char *text, size_t n, struct tf_syslog_target *target);

enum tf_syslog_severity { TF_SYSLOG_WARNING = 4, TF_SYSLOG_NOTICE = 5, TF_SYSLOG_INFO = 6 };

struct tf_syslog_header {
    enum tf_syslog_severity severity;
    int64_t unix_us;
    const char *hostname;
    uint64_t process;
    const char *message_id; /* a word */
};

#define TF_SYSLOG_HEADER_MAX 384 /* holds it, with a host name of 255 characters */

/* All that comes before the message itself, the blank included. */
void tf_put_syslog_header(struct tf_writer *w, const struct tf_syslog_header *header);

#endif
