/* Keys of TLS session tickets, as gateways that share their clients read them
 * from a file: a key a line, the one that encrypts first. */
#ifndef TF_TICKET_KEYS_H
#define TF_TICKET_KEYS_H

#include "text.h"

enum { TF_TICKET_KEYS_MAX = 16, TF_TICKET_NAME_SIZE = 16 };

/* The same 80 bytes as those of nginx and HAProxy, in the same order: the name that stands in front of each
 * ticket (RFC 5077 4), the key of its HMAC-SHA256, and that of AES-256-CBC. */
struct tf_ticket_key {
    uint8_t name[TF_TICKET_NAME_SIZE], mac[32], cipher[32];
};

struct tf_ticket_keys {
    struct tf_ticket_key list[TF_TICKET_KEYS_MAX];
    size_t count;
};

/* A line is a key of 160 hexadecimal digits or 108 characters of base64, or empty, or a comment (# or ;).
 * NULL: there is at least one key. Otherwise what is wrong, with nothing of the file in it, in *line (0: in
 * the file as a whole), and *keys is wiped. */
const char *tf_ticket_keys_parse(struct tf_text text, struct tf_ticket_keys *keys, unsigned *line);

#endif
