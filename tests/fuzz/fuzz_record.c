/* Whatever peers say and wherever it ends up in the facts: lines stay whole, one line each, and fit; refusals
 * in HTTP and TLS fit too. The input is cut into the fields of the facts. */
#include "../../lib/front.h"
#include "../../lib/page.h"
#include "../../lib/record.h"
#include "../flat_json.h"
#include <stdlib.h>

static void digest_start(void *ctx)
{
    (void)ctx;
}

static void digest_add(void *ctx, const void *p, size_t n)
{
    (void)ctx, (void)p, (void)n;
}

static void digest_finish(void *ctx, uint8_t *out)
{
    memset(out, 0, *(const size_t *)ctx);
}

static struct tf_digest digest(size_t *size)
{
    return (struct tf_digest){size, *size, digest_start, digest_add, digest_finish};
}

static int64_t take_time(struct tf_reader *in)
{
    uint64_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 16 | tf_read_u16(in);
    return (int64_t)v;
}

/* A text with a length in front, or as much of it as is there, NUL-terminated in room[0..size). */
static void take_text(struct tf_reader *in, char *room, size_t size)
{
    size_t n = tf_read_u8(in) % size;
    struct tf_span s = tf_read_span(in, n < in->left ? n : in->left);
    if (s.n > 0)
        memcpy(room, s.p, s.n);
    room[s.n] = '\0';
}

static struct tf_span take_span(struct tf_reader *in, size_t step)
{
    size_t n = tf_read_u16(in);
    n = n < in->left ? n : in->left;
    return tf_read_span(in, n - n % step);
}

static struct tf_addr take_address(struct tf_reader *in)
{
    static const uint8_t families[] = {TF_FAMILY_NONE, TF_FAMILY_V4, TF_FAMILY_V6};
    struct tf_addr a = {.family = families[tf_read_u8(in) % 3]};
    struct tf_span ip = tf_read_span(in, a.family == TF_FAMILY_V4 ? 4 : a.family == TF_FAMILY_V6 ? 16 : 0);
    if (ip.n > 0)
        memcpy(a.ip, ip.p, ip.n);
    a.port = tf_read_u16(in);
    return a;
}

static void take_hellos(struct tf_reader *in, struct tf_facts *facts)
{
    struct tf_hello *hello = &facts->hello;
    hello->format = tf_read_u8(in) & 1 ? TF_FORMAT_SSLV2 : TF_FORMAT_TLS;
    hello->legacy_version = tf_read_u16(in);
    hello->max_version = tf_read_u16(in);
    hello->ciphers = take_span(in, hello->format == TF_FORMAT_SSLV2 ? 3 : 2);
    hello->supported_versions = take_span(in, 2);
    hello->has_supported_versions = hello->supported_versions.n > 0;
    hello->server_name = take_span(in, 1);
    hello->server_name.n = hello->server_name.n <= 255 ? hello->server_name.n : 255;
    facts->server.version = tf_read_u16(in);
    facts->server.cipher = tf_read_u16(in);
}

/* What an upgrade adds. */
static void take_upgrade(struct tf_reader *in, struct tf_facts *facts, struct tf_m365_set *set)
{
    facts->inside = (struct tf_leg){tf_read_u16(in), tf_read_u16(in), tf_read_u8(in) & 1};
    facts->outside = (struct tf_leg){tf_read_u16(in), tf_read_u16(in), tf_read_u8(in) & 1};
    set->area = (enum tf_m365_area)(tf_read_u8(in) % TF_M365_AREAS);
    set->category = (enum tf_m365_category)(tf_read_u8(in) % TF_M365_CATEGORIES);
    facts->m365 = set;
}

/* Who has logged in, and what is known of a mail session. */
static void take_mail(struct tf_reader *in, struct tf_facts *facts)
{
    uint8_t has = tf_read_u8(in);
    facts->mail = (enum tf_mail)(tf_read_u8(in) % (TF_MAIL_POP3 + 1));
    facts->ask = has & 1 ? TF_ASK_MAIL : TF_ASK_TUNNEL;
    facts->is_plain_outside = has & 2;
    facts->answer = has & 4 ? &tf_mail_token_refused : NULL;
    facts->failed_logins = tf_read_u8(in);
    facts->via = take_address(in);
    take_text(in, facts->user, sizeof facts->user);
    take_text(in, facts->mailbox, sizeof facts->mailbox);
}

static void check_line(const char *line, const struct tf_writer *w)
{
    if (w->full || w->len > TF_RECORD_MAX || !flat_read(line, w->len, NULL, NULL, NULL))
        abort();
}

static void check_fits(const struct tf_writer *w)
{
    if (w->full)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char line[2 * TF_RECORD_MAX];
    static struct tf_policy policy = {.floor = TF_TLS12};
    size_t md5_size = 16, sha256_size = 32;
    struct tf_record_context context = {&policy, digest(&md5_size), digest(&sha256_size), false};
    struct tf_reader in = tf_reader_of(data, size);
    char rule_name[256], listener[256], detail[256];
    struct tf_m365_set set = {.id = 1};
    struct tf_rule rule = {.name = rule_name, .owner = listener, .ticket = rule_name};
    struct tf_facts facts = {.listener = listener, .rule = &rule, .step = "hello"};

    uint8_t has = tf_read_u8(&in);
    facts.has_target = has & 1;
    facts.has_hello = has & 2;
    facts.has_server_hello = has & 4;
    facts.target.is_address = has & 8;
    facts.looks_like_http = has & 16;
    facts.verdict = (enum tf_verdict)(tf_read_u8(&in) % (TF_VERDICT_UPGRADE + 1));
    facts.reason = (enum tf_reason)(tf_read_u8(&in) % TF_REASON_COUNT);
    facts.started_us = take_time(&in);
    facts.duration_us = take_time(&in);
    take_text(&in, listener, sizeof listener);
    take_text(&in, rule_name, sizeof rule_name);
    take_text(&in, facts.user_agent, sizeof facts.user_agent);
    take_text(&in, facts.target.host, sizeof facts.target.host);
    facts.source = take_address(&in);
    facts.destination = take_address(&in);
    facts.target.addr = take_address(&in);
    take_hellos(&in, &facts);
    take_text(&in, detail, sizeof detail);
    facts.detail = detail;
    take_upgrade(&in, &facts, &set);
    take_mail(&in, &facts);

    struct tf_writer w = tf_writer_of(line, sizeof line);
    tf_put_block_record(&w, &facts, &context);
    check_line(line, &w);

    w = tf_writer_of(line, sizeof line);
    tf_put_access_head(&w, &facts, &context);
    tf_put_access_tail(&w, &facts);
    check_line(line, &w);

    w = tf_writer_of(line, TF_PAGE_MAX);
    tf_put_http_refusal(&w, &facts);
    check_fits(&w);
    w = tf_writer_of(line, TF_PAGE_MAX);
    tf_front_tls.refuse(NULL, &w, &facts);
    check_fits(&w);
    return 0;
}
