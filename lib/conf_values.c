/* The text of a setting to what the gateway works with: single values, and
 * which reader a type has. Lists are in conf_lists.c, the words for common
 * mistakes in conf_hints.c. */
#include "calendar.h"
#include "conf_value.h"
#include "syslog.h"

#include <string.h>

/* A list may be long, and the sentence names the entry: what else is in it would only hide that. */
bool tf_value_refuse(const struct tf_value *v, const char *const *sentence)
{
    bool is_hidden = tf_key_is_list(v->key) || tf_value_has_login(v->text);
    char why[400];
    struct tf_writer w = tf_writer_of(why, sizeof why - 1);
    tf_put_parts(&w, sentence);
    why[w.len] = '\0';
    tf_report(v->load, TF_ERROR, &v->setting->origin,
              TF_PARTS(TF_SECTION_PARTS(v->section), " ", v->key->name, is_hidden ? "" : " = ",
                       is_hidden ? "" : v->setting->text, ": ", why));
    return false;
}

bool tf_value_wrong(const struct tf_value *v, const char *why)
{
    struct tf_values values;
    return tf_value_refuse(v, TF_PARTS(why, "; write ", tf_values_text(&values, v->key)));
}

bool tf_value_wrong_item(const struct tf_value *v, struct tf_text item, const char *why)
{
    struct tf_quote quote;
    struct tf_values values;
    return tf_value_refuse(
        v, TF_PARTS(tf_quote_text(&quote, item), " ", why, "; write ", tf_values_text(&values, v->key)));
}

bool tf_value_keep(const struct tf_value *v, struct tf_text text, const char **out)
{
    *out = tf_arena_text(v->load->arena, text.p, text.n);
    return *out != NULL;
}

/* Stores an integer in a field of any width; an enum or a bool is one too. */
static void store(const struct tf_value *v, uint64_t number)
{
    uint8_t u8 = (uint8_t)number;
    uint16_t u16 = (uint16_t)number;
    uint32_t u32 = (uint32_t)number;

    switch (v->key->field.size) {
    case sizeof u8:
        memcpy(v->field, &u8, sizeof u8);
        break;
    case sizeof u16:
        memcpy(v->field, &u16, sizeof u16);
        break;
    case sizeof u32:
        memcpy(v->field, &u32, sizeof u32);
        break;
    case sizeof number:
        memcpy(v->field, &number, sizeof number);
        break;
    }
}

static bool read_choice(const struct tf_value *v)
{
    size_t place;
    if (!tf_words_have(v->key->words, v->text, &place))
        return tf_value_wrong_word(v, v->text, "there is no such choice");
    store(v, v->key->min + place);
    return true;
}

static bool read_number(const struct tf_value *v)
{
    uint64_t number;
    if (!tf_text_number(v->text, UINT64_MAX, &number))
        return tf_value_wrong(v, "not a whole number");
    if (number < v->key->min || number > v->key->max)
        return tf_value_wrong(v, "out of range");
    store(v, number);
    return true;
}

static bool read_seconds(const struct tf_value *v)
{
    struct tf_text fraction = v->text;
    struct tf_text whole = tf_text_take(&fraction, '.');
    uint64_t seconds, part = 0;

    if (!tf_text_number(whole, UINT32_MAX, &seconds) ||
        (fraction.p && (fraction.n > 3 || !tf_text_number(fraction, 999, &part))))
        return tf_value_wrong_seconds(v);
    for (size_t digits = fraction.n; fraction.p && digits < 3; digits++)
        part *= 10;
    uint64_t ms = seconds * 1000 + part;
    if (ms < v->key->min || ms > v->key->max)
        return tf_value_wrong(v, "out of range");
    store(v, ms);
    return true;
}

static bool read_text(const struct tf_value *v)
{
    return tf_value_keep(v, v->text, v->field);
}

/* YYYY-MM-DD to days since 1970; nothing is for ever. */
static bool read_date(const struct tf_value *v)
{
    struct tf_text t = v->text;
    uint64_t year, month, day;
    int32_t *field = v->field;

    *field = INT32_MAX;
    if (t.n == 0)
        return true;
    bool shaped = t.n == 10 && t.p[4] == '-' && t.p[7] == '-' &&
                  tf_text_number((struct tf_text){t.p, 4}, 9999, &year) &&
                  tf_text_number((struct tf_text){t.p + 5, 2}, 12, &month) &&
                  tf_text_number((struct tf_text){t.p + 8, 2}, 31, &day);
    if (!shaped || !tf_days_from_civil((int)year, (int)month, (int)day, field))
        return tf_value_wrong(v, "there is no such date");
    return true;
}

static bool read_path(const struct tf_value *v)
{
    if (v->text.n == 0 && v->key->value[0] != '\0')
        return tf_value_wrong(v, "it is empty");
    return read_text(v);
}

static bool read_sink(const struct tf_value *v)
{
    struct tf_syslog_target target;
    if (v->text.n == 0)
        return tf_value_wrong(v, "it is empty");
    const char *wrong =
        tf_syslog_is(v->text.p, v->text.n) ? tf_syslog_parse(v->text.p, v->text.n, &target) : NULL;
    return wrong != NULL ? tf_value_wrong(v, wrong) : read_text(v);
}

/* HOST or HOST:PORT; nothing is none. Which port goes without saying depends on other keys: 0 until then. */
static bool read_authority(const struct tf_value *v)
{
    struct tf_target *field = v->field;
    *field = (struct tf_target){.port = 0};
    if (v->text.n == 0)
        return true;
    bool has_port = v->text.p[v->text.n - 1] != ']' && memchr(v->text.p, ':', v->text.n);
    enum tf_host_error e = has_port ? tf_authority_parse(v->text.p, v->text.n, 0, field)
                                    : tf_host_parse(v->text.p, v->text.n, field);
    return e == TF_HOST_OK || tf_value_wrong_host(v, v->text, e);
}

/* A name in lower case; nothing is none. */
static bool read_host(const struct tf_value *v)
{
    struct tf_target host;
    if (v->text.n == 0)
        return read_text(v);
    enum tf_host_error e = tf_host_parse(v->text.p, v->text.n, &host);
    if (e != TF_HOST_OK)
        return tf_value_wrong_host(v, v->text, e);
    if (host.is_address)
        return tf_value_wrong(v, "that is an address");
    return tf_value_keep(v, tf_text_of(host.host), v->field);
}

static bool read_address_or_off(const struct tf_value *v)
{
    struct tf_addr *field = v->field;
    *field = (struct tf_addr){.family = TF_FAMILY_NONE};
    return tf_text_is(v->text, "off") || tf_addr_port_parse(v->text.p, v->text.n, field) ||
           tf_value_wrong_listen(v, v->text);
}

static bool (*reader_of(enum tf_value_type type))(const struct tf_value *)
{
    switch (type) {
    case TF_TYPE_CHOICE:
        return read_choice;
    case TF_TYPE_NUMBER:
        return read_number;
    case TF_TYPE_SECONDS:
        return read_seconds;
    case TF_TYPE_TEXT:
        return read_text;
    case TF_TYPE_DATE:
        return read_date;
    case TF_TYPE_PATH:
        return read_path;
    case TF_TYPE_SINK:
        return read_sink;
    case TF_TYPE_AUTHORITY:
        return read_authority;
    case TF_TYPE_ADDRESS_OR_OFF:
        return read_address_or_off;
    case TF_TYPE_HOST:
        return read_host;
    case TF_TYPE_SERVERS:
        return tf_read_servers;
    case TF_TYPE_ADDRESS_SET:
        return tf_read_address_set;
    case TF_TYPE_OVERRIDES:
        return tf_read_overrides;
    case TF_TYPE_ADDRESSES:
        return tf_read_addresses;
    case TF_TYPE_NAMES:
        return tf_read_names;
    case TF_TYPE_CIDRS:
        return tf_read_cidrs;
    case TF_TYPE_DESTINATIONS:
        return tf_read_destinations;
    case TF_TYPE_PATTERNS:
        return tf_read_patterns;
    case TF_TYPE_PROXIES:
        return tf_read_proxies;
    case TF_TYPE_PORTS:
        return tf_read_ports;
    }
    return NULL;
}

bool tf_value_set(struct tf_conf_load *load, const struct tf_section *section, const struct tf_key *key,
                  const struct tf_setting *setting)
{
    uint8_t *base = section->object;
    struct tf_value v = {
        .load = load,
        .section = section,
        .key = key,
        .setting = setting,
        .text = tf_text_of(setting->text),
        .field = base + key->field.offset,
        .count = key->count.size > 0 ? (size_t *)(void *)(base + key->count.offset) : NULL,
    };
    return reader_of(key->type)(&v);
}
