/* DefaultSecureProtocols: the bit mask by which an administrator of Windows
 * tells WinHTTP which versions of TLS a program gets that does not choose for
 * itself (KB3140245). */
#ifndef TF_WINHTTP_H
#define TF_WINHTTP_H

#include "text.h"

/* The bits are those of Schannel's clients. Its servers have the half of each, which is what IIS logs. */
enum {
    TF_WINHTTP_SSL2 = 0x008,
    TF_WINHTTP_SSL3 = 0x020,
    TF_WINHTTP_TLS10 = 0x080,
    TF_WINHTTP_TLS11 = 0x200,
    TF_WINHTTP_TLS12 = 0x800,
    TF_WINHTTP_TLS13 = 0x2000,
    TF_WINHTTP_BROKEN = TF_WINHTTP_SSL2 | TF_WINHTTP_SSL3, /* never to be turned on (KB3009008) */
    TF_WINHTTP_OLD = TF_WINHTTP_TLS10 | TF_WINHTTP_TLS11,
    TF_WINHTTP_GOOD = TF_WINHTTP_TLS12 | TF_WINHTTP_TLS13,
    TF_WINHTTP_ALL = TF_WINHTTP_BROKEN | TF_WINHTTP_OLD | TF_WINHTTP_GOOD
};

struct tf_winhttp_protocol {
    uint32_t bit;
    const char *name; /* `TLS 1.2` */
    const char *note;
};

/* A value that is met in the field. */
struct tf_winhttp_value {
    uint32_t value;
    const char *note;
};

/* The i-th, oldest first; NULL behind the last. */
const struct tf_winhttp_protocol *tf_winhttp_protocol(size_t i);
const struct tf_winhttp_value *tf_winhttp_value(size_t i);

/* `TLS1.2`, `TLSv1.2`, `TLS 1.2`, `1.2`, `TLSv1`, `SSLv3`, `SSL 3.0`, in any case. NULL: it is none. */
const struct tf_winhttp_protocol *tf_winhttp_protocol_parse(struct tf_text t);
/* `0xA80`, `2688`, or `dword:00000a80` as in a .reg file. False: it is none of 32 bits. */
bool tf_winhttp_value_parse(struct tf_text t, uint32_t *value);
/* Whether t, read as hexadecimal digits without the 0x, makes a mask of known bits: it may be meant so. */
bool tf_winhttp_is_bare_hex(struct tf_text t, uint32_t *value);

#endif
