/* Rows of the W3C extended log file format; see w3c.h and w3c.def. */
#include "w3c.h"

#include "alg_id.h"
#include "suites.h"

#include <string.h>

enum {
    VALUE_MAX = 512,    /* no value is longer before it is encoded */
    NAME_CUT = 64,      /* texts of the configuration are cut to this */
    DETAIL_CUT = 256,   /* and sentences to this */
    SUITES_MAX = 64,    /* so many are listed */
    VERSIONS_MAX = 16,  /* likewise */
    DAY_CHARACTERS = 10 /* of 2026-11-22T08:27:00.123Z, and the time begins behind the T */
};

/* What a column writes about. */
struct row {
    const struct tf_facts *facts;
    const struct tf_record_context *c;
    uint16_t version; /* of tf_record_version */
    bool has_cipher;
    uint16_t cipher; /* that was picked */
    struct tf_told told;
};

/* Up to max bytes of it. */
static void put_cut(struct tf_writer *w, const void *p, size_t n, size_t max)
{
    tf_put(w, p, n < max ? n : max);
}

static void put_text_cut(struct tf_writer *w, const char *text, size_t max)
{
    if (text != NULL)
        put_cut(w, text, strlen(text), max);
}

/* --- when, who and where --- */

static void put_instant_part(struct tf_writer *w, int64_t unix_us, size_t from, size_t n)
{
    char text[32];
    struct tf_writer t = tf_writer_of(text, sizeof text);
    tf_put_time(&t, unix_us);
    tf_put(w, text + from, n);
}

static void put_date_of(struct tf_writer *w, int64_t unix_us)
{
    put_instant_part(w, unix_us, 0, DAY_CHARACTERS);
}

static void put_time_of(struct tf_writer *w, int64_t unix_us)
{
    put_instant_part(w, unix_us, DAY_CHARACTERS + 1, strlen("08:27:00"));
}

static void put_date(struct tf_writer *w, const struct row *row)
{
    put_date_of(w, row->facts->started_us);
}

static void put_time(struct tf_writer *w, const struct row *row)
{
    put_time_of(w, row->facts->started_us);
}

static void put_listener(struct tf_writer *w, const struct row *row)
{
    put_text_cut(w, row->facts->listener, NAME_CUT);
}

static void put_address(struct tf_writer *w, const struct tf_addr *address)
{
    if (address->family != TF_FAMILY_NONE)
        tf_put_addr(w, address);
}

static void put_source(struct tf_writer *w, const struct row *row)
{
    put_address(w, &row->facts->source);
}

static void put_source_port(struct tf_writer *w, const struct row *row)
{
    if (row->facts->source.family != TF_FAMILY_NONE)
        tf_put_u64(w, row->facts->source.port);
}

static void put_user(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, row->facts->user);
}

static void put_host(struct tf_writer *w, const struct row *row)
{
    if (row->facts->has_target)
        tf_put_text(w, row->facts->target.host);
}

static void put_port(struct tf_writer *w, const struct row *row)
{
    if (row->facts->has_target)
        tf_put_u64(w, row->facts->target.port);
}

static void put_destination(struct tf_writer *w, const struct row *row)
{
    put_address(w, tf_record_destination(row->facts));
}

static void put_user_agent(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, row->facts->user_agent);
}

static void put_duration(struct tf_writer *w, const struct row *row)
{
    int64_t us = row->facts->duration_us;
    tf_put_u64(w, us > 0 ? (uint64_t)us / 1000 : 0);
}

/* --- TLS, as IIS logs it: hexadecimal numbers, and nothing at all for plain text --- */

static void put_hex_number(struct tf_writer *w, uint16_t number)
{
    char digits[4];
    struct tf_writer d = tf_writer_of(digits, sizeof digits);
    size_t zeros = 0;
    tf_put_hex16(&d, number);
    while (zeros < sizeof digits - 1 && digits[zeros] == '0')
        zeros++;
    tf_put(w, digits + zeros, sizeof digits - zeros);
}

static void put_crypt_protocol(struct tf_writer *w, const struct row *row)
{
    uint16_t protocol = tf_alg_protocol(row->version);
    if (protocol != 0)
        put_hex_number(w, protocol);
}

static void put_crypt_cipher(struct tf_writer *w, const struct row *row)
{
    if (row->has_cipher)
        put_hex_number(w, tf_alg_ids_of(row->cipher).cipher);
}

static void put_crypt_hash(struct tf_writer *w, const struct row *row)
{
    if (row->has_cipher)
        put_hex_number(w, tf_alg_ids_of(row->cipher).hash);
}

static void put_crypt_key_exchange(struct tf_writer *w, const struct row *row)
{
    if (row->has_cipher)
        put_hex_number(w, tf_alg_ids_of(row->cipher).key_exchange);
}

/* --- what became of it --- */

static void put_action(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, tf_event_name(tf_record_event(row->facts)));
}

static void put_code(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, row->told.code);
}

static void put_verdict(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, tf_verdict_name(row->facts->verdict));
}

static void put_detail(struct tf_writer *w, const struct row *row)
{
    put_text_cut(w, row->facts->detail, DETAIL_CUT);
}

static void put_rule(struct tf_writer *w, const struct row *row)
{
    if (row->facts->rule != NULL)
        put_text_cut(w, row->facts->rule->name, NAME_CUT);
}

static void put_floor(struct tf_writer *w, const struct row *row)
{
    tf_put_short_version(w, row->c->policy->floor);
}

static void put_m365_area(struct tf_writer *w, const struct row *row)
{
    if (row->facts->m365 != NULL)
        tf_put_text(w, tf_m365_area_name(row->facts->m365->area));
}

static void put_upgrade_from(struct tf_writer *w, const struct row *row)
{
    uint16_t version = row->facts->inside.version;
    if (!tf_record_is_upgraded(row->facts))
        return;
    if (version == 0)
        tf_put_text(w, "plain");
    else
        tf_put_short_version(w, version);
}

static void put_upgrade_to(struct tf_writer *w, const struct row *row)
{
    if (tf_record_is_upgraded(row->facts))
        tf_put_short_version(w, row->facts->outside.version);
}

static void put_fix(struct tf_writer *w, const struct row *row)
{
    put_text_cut(w, row->told.fix, DETAIL_CUT);
}

/* --- what was said in the hellos --- */

static void put_version(struct tf_writer *w, const struct row *row)
{
    if (tf_version_rank(row->version) != 0)
        tf_put_short_version(w, row->version);
}

static void put_versions_offered(struct tf_writer *w, const struct row *row)
{
    uint16_t version;
    size_t left = VERSIONS_MAX;
    for (size_t at = 0;
         row->facts->has_hello && left > 0 && tf_record_next_version(&row->facts->hello, &at, &version);
         left--) {
        if (w->len > 0)
            tf_put_char(w, ',');
        tf_put_short_version(w, version);
    }
}

static void put_suite(struct tf_writer *w, const struct row *row)
{
    if (row->has_cipher)
        tf_put_suite(w, row->cipher);
}

static void put_suite_number(struct tf_writer *w, const struct row *row)
{
    if (row->has_cipher)
        tf_put_hex16(w, row->cipher);
}

/* By their numbers, of two or three bytes: names would make a line long. */
static void put_suites_offered(struct tf_writer *w, const struct row *row)
{
    uint32_t id;
    size_t left = SUITES_MAX;
    for (size_t at = 0;
         row->facts->has_hello && left > 0 && tf_record_next_suite(&row->facts->hello, &at, &id); left--) {
        uint8_t kind = (uint8_t)(id >> 16);
        if (w->len > 0)
            tf_put_char(w, ',');
        if (row->facts->hello.format == TF_FORMAT_SSLV2)
            tf_put_hex(w, &kind, 1);
        tf_put_hex16(w, (uint16_t)id);
    }
}

static void put_server_name(struct tf_writer *w, const struct row *row)
{
    const struct tf_span *name = &row->facts->hello.server_name;
    if (row->facts->has_hello)
        tf_put(w, name->p, name->n);
}

/* RFC 7301 3.1: names, each with its length in front. */
static void put_alpn(struct tf_writer *w, const struct row *row)
{
    const struct tf_span *alpn = &row->facts->hello.alpn;
    if (!row->facts->has_hello)
        return;
    for (struct tf_reader r = tf_reader_of(alpn->p, alpn->n); r.left > 0 && !r.failed && !w->full;) {
        struct tf_reader name = tf_read_vec8(&r);
        if (w->len > 0)
            tf_put_char(w, ',');
        tf_put(w, name.p, name.left);
    }
}

static void put_ja3(struct tf_writer *w, const struct row *row)
{
    if (row->facts->has_hello)
        tf_put_ja3(w, &row->facts->hello, &row->c->md5);
}

static void put_ja4(struct tf_writer *w, const struct row *row)
{
    if (row->facts->has_hello)
        tf_put_ja4(w, &row->facts->hello, &row->c->sha256);
}

static void put_greeting(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, row->facts->greeting);
}

/* --- who the client is --- */

static void put_client_family(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, tf_client_info(row->facts->client.family)->slug);
}

static void put_client_name(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, tf_record_client_name(&row->facts->client));
}

static void put_client_certainty(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, tf_client_certainty_name(row->facts->client.certainty));
}

static void put_client_ability(struct tf_writer *w, const struct row *row)
{
    const struct tf_client_info *info = tf_client_info(row->facts->client.family);
    if (row->facts->client.family != TF_CLIENT_FAMILY_UNKNOWN)
        tf_put_text(w, tf_client_ability_name(info->ability));
}

static void put_client_class(struct tf_writer *w, const struct row *row)
{
    tf_put_text(w, tf_record_client_class(row->facts));
}

/* --- lines --- */

static bool is_plain(uint8_t byte)
{
    return byte > ' ' && byte <= '~' && byte != '+' && byte != '"' && byte != '%';
}

static void put_encoded(struct tf_writer *w, const char *p, size_t n)
{
    if (n == 0)
        tf_put_char(w, '-');
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)p[i];
        if (is_plain(byte)) {
            tf_put_char(w, p[i]);
        } else if (byte == ' ') {
            tf_put_char(w, '+');
        } else {
            tf_put_char(w, '%');
            tf_put_hex(w, &byte, 1);
        }
    }
}

void tf_put_w3c_head(struct tf_writer *w, int64_t unix_us)
{
    tf_put_text(w, "#Software: tlsfloor\n#Version: 1.0\n#Date: ");
    put_date_of(w, unix_us);
    tf_put_char(w, ' ');
    put_time_of(w, unix_us);
    tf_put_text(w, "\n#Fields:"
#define COLUMN(field, function) " " field
#include "w3c.def"
#undef COLUMN
                   " x-repeat-count x-repeat-first x-repeat-last\n");
}

void tf_put_w3c_row(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c)
{
    static void (*const columns[])(struct tf_writer *, const struct row *) = {
#define COLUMN(field, function) function,
#include "w3c.def"
#undef COLUMN
    };
    struct row row = {
        .facts = facts, .c = c, .version = tf_record_version(facts), .told = tf_record_told(facts)};
    row.has_cipher = tf_record_cipher(facts, &row.cipher);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        char text[VALUE_MAX];
        struct tf_writer value = tf_writer_of(text, sizeof text);
        columns[i](&value, &row);
        put_encoded(w, value.p, value.len);
        tf_put_char(w, ' ');
    }
}

void tf_put_w3c_repeat(struct tf_writer *w, const struct tf_repeat *repeat)
{
    if (repeat == NULL) {
        tf_put_text(w, "- - -\n");
        return;
    }
    tf_put_u64(w, repeat->count);
    tf_put_char(w, ' ');
    tf_put_time(w, repeat->first_us);
    tf_put_char(w, ' ');
    tf_put_time(w, repeat->last_us);
    tf_put_char(w, '\n');
}
