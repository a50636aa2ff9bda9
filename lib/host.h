/* Host names and the spelling of destinations: `name:port`, IP literals in
 * every form that some client or resolver would take for an address, and
 * the suffix patterns of rules. */
#ifndef TF_HOST_H
#define TF_HOST_H

#include "addr.h"

#define TF_HOST_MAX      254 /* RFC 1035: 253 characters, and a NUL */
#define TF_AUTHORITY_MAX (TF_HOST_MAX - 1 + sizeof "[]:65535" - 1)

/* Where a client wants to go. `host` is lower case, without brackets and
 * trailing dot, NUL-terminated; when it is an address, is_address is set and
 * `addr` holds it (with the port). */
struct tf_target {
    char host[TF_HOST_MAX];
    uint16_t port;
    bool is_address;
    struct tf_addr addr;
};

enum tf_host_error {
    TF_HOST_OK,
    TF_HOST_EMPTY,
    TF_HOST_BAD_CHARACTER,
    TF_HOST_BAD_LABEL, /* empty, over 63 characters, or hyphen at an end */
    TF_HOST_TOO_LONG,
    TF_HOST_BAD_ADDRESS, /* brackets or digits that make no address */
    TF_HOST_BAD_PORT
};

/* Host alone: a name, [v6], v6, or IPv4. A name whose last label is a number
 * is an IPv4 address in one of inet_aton's spellings (0x7f.1, 2130706433,
 * 0177.0.0.1) or nothing, so that no spelling slips past an address check.
 * Fills target->host, is_address and addr; leaves port alone. */
enum tf_host_error tf_host_parse(const char *text, size_t n, struct tf_target *target);
/* `host:port` as in CONNECT (RFC 9110 9.3.6), or with `default_port` > 0
 * `host` and `host:` as well. Port is 1 to 65535, digits only. */
enum tf_host_error tf_authority_parse(const char *text, size_t n, uint16_t default_port,
                                      struct tf_target *target);
/* The same, written: brackets where they are needed, no port where it is `default_port` (0: always one). */
void tf_put_authority(struct tf_writer *w, const struct tf_target *target, uint16_t default_port);
const char *tf_host_error_text(enum tf_host_error e);

/* Whether a port is one of mail: SMTP, POP3 and IMAP, in plain or over TLS. */
bool tf_port_is_mail(uint16_t port);

/* `*` any name, `*.suffix` any name below suffix (not suffix itself), else the
 * name itself. `pattern` is lower case without a trailing dot; `host` may be
 * any case and have one. */
bool tf_host_matches(const char *pattern, const char *host, size_t host_len);

#endif
