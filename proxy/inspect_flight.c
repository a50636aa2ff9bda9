/* What a flight says, as JSON. Owns the names of the fields; what they hold
 * is found out by the parsers that sessions use (lib/hello.h), so that an
 * answer here is true of a live connection too. */
#include "inspect_flight.h"

#include "../lib/client.h"
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 512 << 10 }; /* the JA3 text of the longest hello */

void *inspect_need(void *p)
{
    if (!p) {
        fputs("tlsfloor inspect: out of memory\n", stderr);
        exit(3);
    }
    return p;
}

void inspect_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, inspect_need(value)) != 0)
        inspect_need(NULL);
}

static void append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, inspect_need(value)) != 0)
        inspect_need(NULL);
}

static struct tf_reader reader_over(struct tf_span s)
{
    return tf_reader_of(s.p, s.n);
}

/* What has been written; null for nothing. */
static json_t *text_json(const struct tf_writer *w)
{
    return w->len > 0 ? json_stringn(w->p, w->len) : json_null();
}

/* Peer bytes that are text as a rule: each becomes the Unicode character of its number. */
static json_t *bytes_json(const uint8_t *p, size_t n)
{
    char text[2 * 255];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    for (size_t i = 0; i < n; i++) {
        if (p[i] >= 0x80)
            tf_put_char(&w, (char)(0xc0 | p[i] >> 6));
        tf_put_char(&w, (char)(p[i] < 0x80 ? p[i] : 0x80 | (p[i] & 0x3f)));
    }
    return json_stringn(text, w.len);
}

static json_t *hex_json(const uint8_t *p, size_t n)
{
    char text[8];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_hex(&w, p, n);
    return text_json(&w);
}

static json_t *version_json(uint16_t version)
{
    char text[32];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_version(&w, version);
    return text_json(&w);
}

/* GREASE is no version that anybody offers. */
static json_t *offered_json(const struct tf_hello *hello)
{
    json_t *array = inspect_need(json_array());
    if (!hello->has_supported_versions)
        append(array, version_json(hello->legacy_version));
    struct tf_reader r = reader_over(hello->supported_versions);
    while (r.left > 0) {
        uint16_t version = tf_read_u16(&r);
        if (!tf_is_grease(version))
            append(array, version_json(version));
    }
    return array;
}

static json_t *alpn_json(struct tf_span alpn)
{
    json_t *array = inspect_need(json_array());
    struct tf_reader r = reader_over(alpn);
    while (r.left > 0) {
        struct tf_reader name = tf_read_vec8(&r);
        append(array, bytes_json(name.p, name.left));
    }
    return array;
}

static json_t *ciphers_json(const struct tf_hello *hello)
{
    size_t size = hello->format == TF_FORMAT_SSLV2 ? 3 : 2;
    json_t *array = inspect_need(json_array());
    for (size_t i = 0; i < hello->ciphers.n; i += size)
        append(array, hex_json(hello->ciphers.p + i, size));
    return array;
}

static json_t *extensions_json(struct tf_span extensions)
{
    json_t *array = inspect_need(json_array());
    struct tf_reader r = reader_over(extensions);
    while (r.left > 0) {
        const uint8_t *type = tf_read_span(&r, 2).p;
        append(array, hex_json(type, 2));
        tf_read_vec16(&r);
    }
    return array;
}

/* How the flight was taken. What is broken or foreign is blocked; on a whole hello, put_verdict goes on. */
static void put_status(json_t *out, enum tf_parse result, const struct tf_hello_scan *scan)
{
    const char *status = "complete";
    const char *why = NULL;
    switch (result) {
    case TF_PARSE_DONE:
        break;
    case TF_PARSE_MORE:
        status = "incomplete";
        why = "all that is there is sound, but no hello is whole yet";
        break;
    case TF_PARSE_OTHER:
        status = "not_tls";
        why = scan->why;
        break;
    case TF_PARSE_BAD:
        status = "malformed";
        why = scan->why;
        break;
    }
    inspect_put(out, "status", json_string(status));
    inspect_put(out, "reason", why ? json_string(why) : json_null());
    bool refused = result == TF_PARSE_OTHER || result == TF_PARSE_BAD;
    inspect_put(out, "code", refused ? json_string(tf_reason_info(scan->reason)->code) : json_null());
    inspect_put(out, "verdict", refused ? json_string("block") : json_null());
}

/* The verdict on a whole hello; TF_REASON_NONE allows it. */
static void put_verdict(json_t *out, enum tf_reason reason)
{
    bool blocked = reason != TF_REASON_NONE;
    if (blocked) {
        inspect_put(out, "reason", json_string(tf_reason_info(reason)->sentence));
        inspect_put(out, "code", json_string(tf_reason_info(reason)->code));
    }
    inspect_put(out, "verdict", json_string(blocked ? "block" : "allow"));
}

/* All null where nothing is known of the client, or it is healthy. */
static void put_client(const struct tf_hello *hello, json_t *out)
{
    struct tf_client client = tf_client_identify(hello, "", "");
    bool is_known = client.family != TF_CLIENT_FAMILY_UNKNOWN;
    const struct tf_client_info *family = tf_client_info(client.family);
    inspect_put(out, "client_family", is_known ? json_string(family->slug) : json_null());
    inspect_put(out, "client_name", is_known ? json_string(client.name) : json_null());
    const char *certainty = tf_client_certainty_name(client.certainty);
    inspect_put(out, "client_certainty", is_known ? json_string(certainty) : json_null());
    const char *ability = tf_client_ability_name(family->ability);
    inspect_put(out, "client_ability", is_known ? json_string(ability) : json_null());
}

static void put_client_hello(struct inspector *in, const struct tf_hello *hello, json_t *out)
{
    bool is_sslv2 = hello->format == TF_FORMAT_SSLV2;
    inspect_put(out, "format", json_string(is_sslv2 ? "sslv2" : "tls"));
    inspect_put(out, "record_version", is_sslv2 ? json_null() : version_json(hello->record_version));
    inspect_put(out, "legacy_version", version_json(hello->legacy_version));
    inspect_put(out, "offered_versions", offered_json(hello));
    inspect_put(out, "max_version", version_json(hello->max_version));
    inspect_put(out, "server_name",
                hello->server_name.n > 0 ? bytes_json(hello->server_name.p, hello->server_name.n)
                                         : json_null());
    inspect_put(out, "alpn", alpn_json(hello->alpn));
    inspect_put(out, "ciphers", ciphers_json(hello));
    inspect_put(out, "extensions", extensions_json(hello->extensions));
    struct tf_writer w = tf_writer_of(in->text, TEXT_MAX);
    tf_put_ja3(&w, hello, &in->digests.md5);
    inspect_put(out, "ja3", text_json(&w));
    w = tf_writer_of(in->text, TEXT_MAX);
    tf_put_ja3_text(&w, hello);
    inspect_put(out, "ja3_full", text_json(&w));
    w = tf_writer_of(in->text, TEXT_MAX);
    tf_put_ja4(&w, hello, &in->digests.sha256);
    inspect_put(out, "ja4", text_json(&w));
    inspect_put(out, "hello_len", json_integer((json_int_t)hello->wire_len));
    if (is_sslv2)
        put_verdict(out, TF_REASON_CLIENT_SSLV2_HELLO);
    else
        put_verdict(out, tf_version_rank(hello->max_version) >= TF_TLS12 ? TF_REASON_NONE
                                                                         : TF_REASON_CLIENT_BELOW_FLOOR);
    put_client(hello, out);
}

static void inspect_client(struct inspector *in, struct tf_span flight, json_t *out)
{
    struct tf_hello_scan scan = {.limit = TF_HELLO_MAX};
    struct tf_hello hello;
    enum tf_parse result = tf_client_scan(&scan, flight.p, flight.n, in->scratch, TF_HELLO_MAX, &hello);
    put_status(out, result, &scan);
    inspect_put(out, "side", json_string("client"));
    if (result == TF_PARSE_DONE)
        put_client_hello(in, &hello, out);
}

static json_t *sentinel_json(uint16_t sentinel)
{
    if (sentinel == 0)
        return json_null();
    return json_string(sentinel == TF_TLS12 ? "TLS1.2" : "TLS1.1-or-below");
}

static void put_server_hello(struct inspector *in, const struct tf_server_hello *hello, json_t *out)
{
    uint8_t cipher[2] = {(uint8_t)(hello->cipher >> 8), (uint8_t)hello->cipher};
    inspect_put(out, "record_version", version_json(hello->record_version));
    inspect_put(out, "legacy_version", version_json(hello->legacy_version));
    inspect_put(out, "version", version_json(hello->version));
    inspect_put(out, "cipher", hex_json(cipher, sizeof cipher));
    inspect_put(out, "extensions", extensions_json(hello->extensions));
    struct tf_writer w = tf_writer_of(in->text, TEXT_MAX);
    tf_put_ja3s(&w, hello, &in->digests.md5);
    inspect_put(out, "ja3s", text_json(&w));
    w = tf_writer_of(in->text, TEXT_MAX);
    tf_put_ja3s_text(&w, hello);
    inspect_put(out, "ja3s_full", text_json(&w));
    inspect_put(out, "hello_retry", json_boolean(hello->hello_retry));
    inspect_put(out, "downgrade_sentinel", sentinel_json(hello->downgrade_sentinel));
    inspect_put(out, "hello_len", json_integer((json_int_t)hello->wire_len));
    put_verdict(out,
                tf_version_rank(hello->version) >= TF_TLS12 ? TF_REASON_NONE : TF_REASON_SERVER_BELOW_FLOOR);
}

static void inspect_server(struct inspector *in, struct tf_span flight, json_t *out)
{
    struct tf_server_scan scan = {.floor = 0};
    struct tf_server_hello hello;
    enum tf_parse result = tf_server_scan(&scan, flight.p, flight.n, in->scratch, TF_HELLO_MAX, &hello);
    if (result == TF_PARSE_MORE && scan.retried) {
        /* Nothing whole is behind the HelloRetryRequest, so it is the answer: no version passes this floor.
         */
        scan = (struct tf_server_scan){.floor = UINT16_MAX};
        result = tf_server_scan(&scan, flight.p, flight.n, in->scratch, TF_HELLO_MAX, &hello);
    }
    put_status(out, result, &scan.in);
    inspect_put(out, "side", json_string("server"));
    if (scan.alerted) {
        inspect_put(out, "alert_level", json_integer(scan.alert_level));
        inspect_put(out, "alert_description", json_integer(scan.alert_description));
    }
    if (result == TF_PARSE_DONE)
        put_server_hello(in, &hello, out);
}

/* By the first record: an alert, or a handshake message that is a ServerHello. No client begins so. */
static bool looks_like_server(struct tf_span flight)
{
    return (flight.n > 0 && flight.p[0] == 21) || (flight.n > 5 && flight.p[0] == 22 && flight.p[5] == 2);
}

void inspector_init(struct inspector *in)
{
    in->scratch = inspect_need(malloc(TF_HELLO_MAX));
    in->text = inspect_need(malloc(TEXT_MAX));
    if (!digests_init(&in->digests))
        inspect_need(NULL);
}

void inspector_fini(struct inspector *in)
{
    digests_fini(&in->digests);
    free(in->scratch);
    free(in->text);
}

void inspect_flight(struct inspector *in, enum inspect_side side, struct tf_span flight, json_t *out)
{
    if (side == INSPECT_SERVER || (side == INSPECT_GUESS && looks_like_server(flight)))
        inspect_server(in, flight, out);
    else
        inspect_client(in, flight, out);
}
