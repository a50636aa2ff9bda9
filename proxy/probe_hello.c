/* A ClientHello of our own bytes, and what the server picks. It asks for one
 * version only, SSL 3.0 too, which OpenSSL does not speak any more, and any
 * suite. The connection ends with the answer, so no key is ever agreed on. */
#include "probe_parts.h"

#include "../lib/extensions.h"
#include "tls_verdict.h"
#include <assert.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELLO_MAX = 4096, ANSWER_MAX = 16 << 10, FATAL = 2 /* AlertLevel */ };

enum {
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_KEY_SHARE = 51,
    EXT_RENEGOTIATION_INFO = 0xff01,
};

/* Network byte order. */
static const uint8_t groups[] = {0x11, 0xec, 0, 29, 0, 23, 0, 24, 0, 25, 0, 30, 1, 0, 1, 1};
/* What servers have had certificates for, SHA-1 and DSA among it (RFC 8446 4.2.3, RFC 5246 7.4.1.4.1). */
static const uint8_t signatures[] = {4, 3, 5,  3, 6,  3, 8, 4, 8, 5, 8, 6, 8, 7, 8, 8, 8,
                                     9, 8, 10, 8, 11, 4, 1, 5, 1, 6, 1, 2, 3, 2, 1, 2, 2};

static void put_u8(struct tf_writer *w, unsigned v)
{
    tf_put_char(w, (char)v);
}

static void put_u16(struct tf_writer *w, unsigned v)
{
    put_u8(w, v >> 8);
    put_u8(w, v & 0xff);
}

/* A vector with two bytes of length, which end_vector fills in. */
static size_t begin_vector(struct tf_writer *w)
{
    put_u16(w, 0);
    return w->len;
}

static void end_vector(struct tf_writer *w, size_t start)
{
    size_t n = w->len - start;
    w->p[start - 2] = (char)(n >> 8);
    w->p[start - 1] = (char)n;
}

static size_t begin_extension(struct tf_writer *w, unsigned type)
{
    put_u16(w, type);
    return begin_vector(w);
}

/* A list with two bytes of length in an extension. */
static void put_list(struct tf_writer *w, unsigned type, const uint8_t *list, size_t n)
{
    size_t extension = begin_extension(w, type);
    size_t vector = begin_vector(w);
    tf_put(w, list, n);
    end_vector(w, vector);
    end_vector(w, extension);
}

static void put_bytes(struct tf_writer *w, unsigned type, const void *p, size_t n)
{
    size_t extension = begin_extension(w, type);
    tf_put(w, p, n);
    end_vector(w, extension);
}

/* RFC 6066 3: one name of type 0. */
static void put_name(struct tf_writer *w, const char *name)
{
    size_t extension = begin_extension(w, TF_EXT_SERVER_NAME);
    size_t list = begin_vector(w);
    put_u8(w, 0);
    size_t host = begin_vector(w);
    tf_put_text(w, name);
    end_vector(w, host);
    end_vector(w, list);
    end_vector(w, extension);
}

static void put_extensions(struct tf_writer *w, const struct probe *p, uint16_t version)
{
    static const uint8_t versions[] = {2, TF_TLS13 >> 8, TF_TLS13 & 0xff};
    size_t block = begin_vector(w);
    if (!p->asked.is_address)
        put_name(w, p->asked.host);
    put_list(w, TF_EXT_SUPPORTED_GROUPS, groups, sizeof groups);
    if (version >= TF_TLS12)
        put_list(w, TF_EXT_SIGNATURE_ALGORITHMS, signatures, sizeof signatures);
    if (version == TF_TLS13) {
        put_bytes(w, TF_EXT_SUPPORTED_VERSIONS, versions, sizeof versions);
        put_list(w, EXT_KEY_SHARE, NULL,
                 0); /* the server answers with a HelloRetryRequest, which says enough */
    } else {
        put_bytes(w, TF_EXT_EC_POINT_FORMATS, "\1\0", 2);
        put_bytes(w, EXT_EXTENDED_MASTER_SECRET, NULL, 0); /* some servers take nobody without these two */
        put_bytes(w, EXT_RENEGOTIATION_INFO, "\0", 1);
    }
    end_vector(w, block);
}

/* TLSPlaintext with a ClientHello (RFC 8446 5.1, 4.1.2):
 *   1   type: handshake
 *   2   version; 2 length
 *   1   msg_type: client_hello
 *   3   length
 *   2   legacy_version
 *   32  random
 *   1+n session_id
 *   2+n cipher_suites
 *   1+n compression_methods
 *   2+n extensions; SSL 3.0 has none */
static void put_hello(struct tf_writer *w, const struct probe *p, uint16_t version, const uint16_t *suites,
                      size_t n)
{
    uint8_t random[64];
    int made = RAND_bytes(random, sizeof random);
    assert(made == 1);
    put_u8(w, 22);
    put_u16(w, version == TF_SSL3 ? TF_SSL3 : TF_TLS10);
    size_t record = begin_vector(w);
    put_u16(w, 0x0100);
    size_t message = begin_vector(w);
    put_u16(w, version < TF_TLS12 ? version : TF_TLS12);
    tf_put(w, random, 32);
    put_u8(w, version == TF_TLS13 ? 32 : 0); /* RFC 8446 D.4: as middleboxes like it */
    tf_put(w, random + 32, version == TF_TLS13 ? 32 : 0);
    size_t list = begin_vector(w);
    for (size_t i = 0; i < n; i++)
        put_u16(w, suites[i]);
    end_vector(w, list);
    tf_put(w, "\1\0", 2);
    if (version > TF_SSL3)
        put_extensions(w, p, version);
    end_vector(w, message);
    end_vector(w, record);
    assert(!w->full);
}

__attribute__((format(printf, 3, 4))) static void set(struct probe_answer *a, enum probe_outcome outcome,
                                                      const char *format, ...)
{
    va_list arguments;
    a->outcome = outcome;
    va_start(arguments, format);
    vsnprintf(a->why, sizeof a->why, format, arguments);
    va_end(arguments);
}

/* The whole of what came, up to the hello or to the end. */
struct heard {
    struct tf_server_scan scan;
    struct tf_server_hello hello;
    enum tf_parse parsed;
    bool is_silent; /* the time was over first */
    size_t len;
    uint8_t stream[ANSWER_MAX], scratch[ANSWER_MAX];
};

static bool is_undecided(const struct heard *h)
{
    bool is_refused = h->scan.alerted && h->scan.alert_level == FATAL;
    return h->parsed == TF_PARSE_MORE && !is_refused && h->len < sizeof h->stream;
}

static void hear(struct heard *h, int fd, uint64_t deadline_ms)
{
    while (is_undecided(h)) {
        h->is_silent = !fetch_wait(fd, POLLIN, deadline_ms);
        if (h->is_silent)
            return;
        ssize_t n = recv(fd, h->stream + h->len, sizeof h->stream - h->len, 0);
        if (n <= 0)
            return;
        h->len += (size_t)n;
        h->parsed = tf_server_scan(&h->scan, h->stream, h->len, h->scratch, sizeof h->scratch, &h->hello);
    }
}

static void judge_hello(struct probe_answer *a, uint16_t version, const struct tf_server_hello *hello)
{
    if (hello->version == version) {
        a->outcome = PROBE_TAKEN;
        a->suite = hello->cipher;
        return;
    }
    char text[32];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_version(&w, hello->version);
    set(a, PROBE_REFUSED, "it picks %.*s", (int)w.len, text);
}

static void judge_text(struct probe_answer *a, const struct heard *h)
{
    char text[PROBE_TEXT_MAX / 2];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    const char *end = memchr(h->stream, '\n', h->len);
    tls_put_peer_text(&w, h->stream, end ? (size_t)(end - (const char *)h->stream) : h->len);
    set(a, PROBE_STRANGE, "it speaks, but not TLS: \"%.*s\"", (int)w.len, text);
}

static void judge(struct probe_answer *a, uint16_t version, const struct heard *h)
{
    if (h->parsed == TF_PARSE_DONE)
        judge_hello(a, version, &h->hello);
    else if (h->scan.alerted)
        set(a, PROBE_REFUSED, "alert %u (%s)", h->scan.alert_description,
            SSL_alert_desc_string_long(h->scan.alert_description));
    else if (h->parsed == TF_PARSE_OTHER)
        judge_text(a, h);
    else if (h->parsed == TF_PARSE_BAD)
        set(a, PROBE_STRANGE, "a broken answer: %s", h->scan.in.why);
    else if (h->is_silent)
        set(a, PROBE_SILENT, "no answer in time");
    else if (h->len > 0)
        set(a, PROBE_STRANGE, "an answer that never becomes a ServerHello");
    else
        set(a, PROBE_REFUSED, "it closes the connection");
}

void probe_hello(struct probe *p, uint16_t version, const uint16_t *suites, size_t n,
                 struct probe_answer *answer)
{
    uint64_t deadline_ms;
    *answer = (struct probe_answer){.outcome = PROBE_UNREACHABLE};
    int fd = probe_connect(p, &deadline_ms, answer->why);
    if (fd < 0)
        return;
    char hello[HELLO_MAX];
    struct tf_writer w = tf_writer_of(hello, sizeof hello);
    put_hello(&w, p, version, suites, n);
    /* An empty socket takes a hello whole; where the peer has gone already, that shows in what is heard. */
    send(fd, w.p, w.len, MSG_NOSIGNAL);
    struct heard h = {.scan.floor = UINT16_MAX,
                      .parsed = TF_PARSE_MORE}; /* so a HelloRetryRequest is an answer */
    hear(&h, fd, deadline_ms);
    judge(answer, version, &h);
    close(fd);
}
