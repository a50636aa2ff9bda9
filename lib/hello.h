/* TLS hellos: from the bytes on the wire to facts.
 *
 * A scan is fed the whole stream from its first byte, again and again as it
 * grows; it remembers how far it got, so that a hello that comes one byte at
 * a time costs as much as one that comes at once. The stream may move in
 * memory between calls. Nothing is consumed: the caller still has the bytes
 * to forward. Results point into the stream or into the caller's scratch.
 *
 * RFC 8446 4.1.2, 4.1.3, 5.1; RFC 5246 7.4.1.2, E; RFC 6101; SSLv2 as in RFC 5246 E.2. */
#ifndef TF_HELLO_H
#define TF_HELLO_H

#include "bytes.h"
#include "reasons.h"

/* Versions as on the wire: 0x0300 SSL 3.0, 0x0301 TLS 1.0 ... 0x0304 TLS 1.3,
 * 0x0002 SSL 2.0, 0x7f00 | n the TLS 1.3 drafts. */
enum {
    TF_SSL2 = 0x0002,
    TF_SSL3 = 0x0300,
    TF_TLS10 = 0x0301,
    TF_TLS11 = 0x0302,
    TF_TLS12 = 0x0303,
    TF_TLS13 = 0x0304
};

/* The longest ClientHello that the lengths of its fields allow, without the 4-byte header of its message. */
#define TF_HELLO_MAX 131396u
/* The longest ServerHello likewise. */
#define TF_SERVER_HELLO_MAX 65607u
/* A hello of n bytes, with its header and with every byte in a record of its own, is so long on the wire. */
#define TF_WIRE_MAX(n) (((size_t)(n) + 4) * 6)

enum tf_parse {
    TF_PARSE_DONE,  /* the hello is whole and sound */
    TF_PARSE_MORE,  /* sound so far; more bytes, or scratch, are needed */
    TF_PARSE_OTHER, /* not TLS or SSL at all */
    TF_PARSE_BAD    /* TLS or SSL, but broken: `why` says how */
};

enum tf_hello_format { TF_FORMAT_TLS, TF_FORMAT_SSLV2 };

struct tf_hello {
    enum tf_hello_format format;
    uint16_t record_version; /* of the first record */
    uint16_t legacy_version; /* client_version */
    uint16_t max_version;    /* the highest real offer, see highest_offer in hello.c; 0: none known */
    bool has_extensions;
    bool has_supported_versions;
    /* Raw bodies, in network byte order; empty where absent. */
    struct tf_span ciphers;              /* two bytes each; three in SSLv2 format */
    struct tf_span extensions;           /* the whole block without its own length */
    struct tf_span supported_versions;   /* two bytes each */
    struct tf_span groups;               /* two bytes each */
    struct tf_span point_formats;        /* one byte each */
    struct tf_span signature_algorithms; /* two bytes each */
    struct tf_span alpn;                 /* ProtocolNames, each with its length byte */
    struct tf_span server_name;          /* 1 to 255 bytes of 0x21..0x7e */
    size_t wire_len;                     /* bytes of the stream up to the end of the hello */
};

/* State of a scan. Zero it, set `limit`, feed. It is over when the answer is anything but TF_PARSE_MORE. */
struct tf_hello_scan {
    size_t limit;          /* longest hello to follow: TF_HELLO_MAX or less */
    size_t scratch_wanted; /* set with TF_PARSE_MORE when all of the hello has come, but spans records: call
                              again, at once, with at least so many bytes of scratch (at most `limit`). They
                              need not keep their contents between calls, only as long as *hello is used */
    const char *why;       /* with TF_PARSE_BAD: what is broken, a fixed sentence with its RFC section */
    enum tf_reason reason; /* with TF_PARSE_BAD and TF_PARSE_OTHER */
    /* private: how far the stream has been taken apart */
    size_t wire_at;       /* bytes of the stream that are done with */
    size_t record_left;   /* bytes still to come of the record that wire_at is in */
    size_t message_start; /* the record in which the message begins */
    size_t message_at;    /* bytes of the message that have come, its header included */
    size_t message_len;   /* its body, from the header */
    size_t body_at;       /* where that begins in the stream */
    uint16_t record_version;
    uint8_t head[4];
    bool spans_records;
};

/* Looks for a ClientHello in stream[0..n). scratch may be NULL until scratch_wanted asks for it.
 * TF_PARSE_DONE fills *hello. */
enum tf_parse tf_client_scan(struct tf_hello_scan *scan, const uint8_t *stream, size_t n, uint8_t *scratch,
                             size_t scratch_size, struct tf_hello *hello);

struct tf_server_hello {
    uint16_t record_version;
    uint16_t legacy_version;
    uint16_t version; /* what is really picked: supported_versions, or else legacy_version */
    uint16_t cipher;
    bool hello_retry;            /* a HelloRetryRequest came first, or this is one */
    uint16_t downgrade_sentinel; /* TF_TLS12 or TF_TLS11 ("1.1 or below"), RFC 8446 4.1.3; 0: none */
    struct tf_span extensions;
    size_t wire_len;
};

/* State of the scan of a server's side. Zero it, feed. */
struct tf_server_scan {
    struct tf_hello_scan in; /* as above, but that the scan sets the limit */
    size_t passable;         /* bytes of the stream that may be forwarded now: alerts, and a HelloRetryRequest
                                that picks an allowed version. Never part of a ServerHello */
    uint16_t floor;          /* set by the caller: a HelloRetryRequest below it is DONE, not passable */
    bool retried;            /* a HelloRetryRequest has gone by */
    bool ccs_passed;         /* and the dummy change_cipher_spec that may follow it (RFC 8446 D.4) */
    bool alerted;            /* at least one alert has gone by */
    uint8_t alert_level, alert_description; /* the last alert */
    uint8_t alerts;                         /* private: how many */
};

/* Looks for the ServerHello that settles the version in stream[0..n). Alerts before it are passed by; so is a
 * HelloRetryRequest at or above the floor, and the ServerHello after it is looked for. TF_PARSE_DONE fills
 * *hello. Anything else before a ServerHello is TF_PARSE_OTHER if already the first bytes are no TLS record
 * (plain text, SSLv2), else TF_PARSE_BAD; the reason of both is TF_REASON_SERVER_HELLO_MALFORMED. */
enum tf_parse tf_server_scan(struct tf_server_scan *scan, const uint8_t *stream, size_t n, uint8_t *scratch,
                             size_t scratch_size, struct tf_server_hello *hello);

/* One ServerHello or HelloRetryRequest from the body of its handshake message (without the 4-byte header). */
enum tf_parse tf_server_hello_parse(struct tf_span body, struct tf_server_hello *hello, const char **why);

/* GREASE (RFC 8701): 0x0a0a, 0x1a1a ... 0xfafa. */
bool tf_is_grease(uint16_t v);
/* Drafts and experiments of TLS 1.3 count as TLS 1.3 (0x0304), unknown values as 0. */
uint16_t tf_version_rank(uint16_t version);
/* `TLS1.0`, `SSLv3`, `SSLv2`, `TLS1.3-draft18`, `TLS1.3-experiment-7e01`, else `0x0505`. */
void tf_put_version(struct tf_writer *w, uint16_t version);
/* As records write it: `1.0` to `1.3`, `ssl3`, `ssl2`; drafts and experiments `1.3`; else four hex digits. */
void tf_put_short_version(struct tf_writer *w, uint16_t version);

#endif
