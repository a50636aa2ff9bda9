/* What records of either format say of a session, drawn from its facts; see
 * record.h. How it is written is record.c's and w3c.c's business. */
#include "record.h"

bool tf_record_is_upgraded(const struct tf_facts *facts)
{
    return facts->verdict == TF_VERDICT_UPGRADE && facts->outside.version != 0 &&
           (facts->ask != TF_ASK_TUNNEL || facts->inside.version != 0);
}

enum tf_event tf_record_event(const struct tf_facts *facts)
{
    if (facts->reason == TF_REASON_NONE && tf_record_is_upgraded(facts))
        return TF_EVENT_UPGRADED;
    enum tf_event event = tf_reason_info(facts->reason)->event;
    if (event == TF_EVENT_NONE || facts->verdict == TF_VERDICT_BLOCK)
        return event;
    return facts->verdict == TF_VERDICT_MONITOR ? TF_EVENT_VERSION_WOULD_BLOCK : TF_EVENT_NONE;
}

/* Where it is the client's version that is wrong, the advice is the family's, if that is known. */
static const char *fix_of_version(const struct tf_facts *facts)
{
    if (facts->is_fallback)
        return tf_client_info(TF_CLIENT_FAMILY_BROWSER_FALLBACK)->fix;
    if (facts->client.family != TF_CLIENT_FAMILY_UNKNOWN)
        return tf_client_info(facts->client.family)->fix;
    return tf_reason_info(TF_REASON_CLIENT_BELOW_FLOOR)->advice;
}

/* An upgrade has no reason of its own: nothing is wrong. */
static struct tf_told told_of_upgrade(const struct tf_facts *facts)
{
    if (facts->ask == TF_ASK_HTTP && facts->inside.version == 0)
        return (struct tf_told){"plain-upgraded", "plain HTTP was carried on in verified TLS",
                                "let the client ask for https://"};
    if (facts->ask == TF_ASK_MAIL)
        return (struct tf_told){"mail-upgraded", "plain mail was carried on in verified TLS",
                                "turn on STARTTLS in the client, if it can do TLS 1.2"};
    if (tf_version_rank(facts->hello.max_version) >= TF_TLS12)
        return (struct tf_told){"client-terminated", "a client's TLS ended here, and went on in verified TLS",
                                "nothing"};
    return (struct tf_told){"client-upgraded", "a client below the floor was carried on in verified TLS",
                            fix_of_version(facts)};
}

/* An answer that puzzles people has advice of its own. */
struct tf_told tf_record_told(const struct tf_facts *facts)
{
    const struct tf_reason_info *info = tf_reason_info(facts->reason);
    struct tf_told told = {info->code, info->sentence, info->advice};
    if (tf_record_is_upgraded(facts)) {
        told = told_of_upgrade(facts);
        if (facts->answer != NULL)
            told.fix = facts->answer->advice;
    } else if (facts->reason == TF_REASON_CLIENT_BELOW_FLOOR) {
        told.fix = fix_of_version(facts);
    }
    return told;
}

/* A client below the floor is told apart by its offer, also when monitor mode let the server answer. */
uint16_t tf_record_version(const struct tf_facts *facts)
{
    if (tf_record_is_upgraded(facts))
        return facts->inside.version;
    if (facts->has_server_hello && facts->reason != TF_REASON_CLIENT_BELOW_FLOOR)
        return facts->server.version;
    return facts->has_hello ? facts->hello.max_version : 0;
}

bool tf_record_cipher(const struct tf_facts *facts, uint16_t *cipher)
{
    bool is_inside = tf_record_is_upgraded(facts) && facts->inside.version != 0;
    *cipher = is_inside ? facts->inside.cipher : facts->server.cipher;
    return is_inside || facts->has_server_hello;
}

const struct tf_addr *tf_record_destination(const struct tf_facts *facts)
{
    bool is_dialled = facts->destination.family != TF_FAMILY_NONE;
    return is_dialled || !facts->has_target || !facts->target.is_address ? &facts->destination
                                                                         : &facts->target.addr;
}

const char *tf_record_client_class(const struct tf_facts *facts)
{
    if (!facts->has_hello || tf_client_is_healthy(&facts->hello))
        return "";
    return facts->is_fallback ? "fallback" : "legacy";
}

const char *tf_record_client_name(const struct tf_client *client)
{
    return client->name != NULL && client->name[0] != '\0' ? client->name
                                                           : tf_client_info(client->family)->name;
}

bool tf_record_next_version(const struct tf_hello *hello, size_t *at, uint16_t *version)
{
    const struct tf_span *list = &hello->supported_versions;
    if (!hello->has_supported_versions) {
        *version = hello->legacy_version;
        return (*at)++ == 0 && tf_version_rank(*version) != 0;
    }
    while (list->n - *at >= 2) {
        *version = (uint16_t)(list->p[*at] << 8 | list->p[*at + 1]);
        *at += 2;
        if (tf_version_rank(*version) != 0)
            return true;
    }
    return false;
}

bool tf_record_next_suite(const struct tf_hello *hello, size_t *at, uint32_t *id)
{
    size_t size = hello->format == TF_FORMAT_SSLV2 ? 3 : 2;
    if (hello->ciphers.n - *at < size)
        return false;
    *id = 0;
    for (size_t end = *at + size; *at < end; ++*at)
        *id = *id << 8 | hello->ciphers.p[*at];
    return true;
}
