/* The table of settings (conf.def) as data. Private to the conf_*.c files. */
#ifndef TF_CONF_TABLE_H
#define TF_CONF_TABLE_H

#include "conf.h"
#include "text.h"

enum tf_value_type {
    TF_TYPE_CHOICE,
    TF_TYPE_NUMBER,
    TF_TYPE_SECONDS,
    TF_TYPE_TEXT,
    TF_TYPE_DATE,
    TF_TYPE_PATH,
    TF_TYPE_SINK,
    TF_TYPE_AUTHORITY,
    TF_TYPE_HOST,
    TF_TYPE_ADDRESS_OR_OFF,
    TF_TYPE_SERVERS,
    TF_TYPE_ADDRESS_SET,
    TF_TYPE_OVERRIDES,
    TF_TYPE_ADDRESSES,
    TF_TYPE_NAMES,
    TF_TYPE_CIDRS,
    TF_TYPE_DESTINATIONS,
    TF_TYPE_PATTERNS,
    TF_TYPE_PROXIES,
    TF_TYPE_PORTS
};

/* A field of the object that a section fills; size 0: none, as the count of what is no list. */
struct tf_target_field {
    size_t offset, size;
};

struct tf_key {
    const char *name;
    enum tf_value_type type;
    struct tf_target_field field;
    struct tf_target_field count; /* of a list: where the number of its entries goes */
    uint64_t min, max; /* of a number; of a list min is the least number of entries; of a choice the base */
    const char *words; /* of a choice, with | between them; of a path, the values that it takes, in words */
    const char *value; /* the default; NULL: the key is required */
    const char *doc;
};

enum tf_section_object { TF_OBJECT_PLAIN, TF_OBJECT_LISTENER, TF_OBJECT_RULE };

struct tf_section_info {
    const char *name;
    enum tf_section_object object; /* TF_OBJECT_PLAIN: there is one, without a name */
    const char *doc;
    const struct tf_key *keys;
    size_t key_count;
};

/* clang-format takes the braces of enums in macros for blocks. */
/* clang-format off */

/* Places in the list of sections. */
enum tf_section_id {
#define SECTION(id, name, object, doc) TF_SECTION_##id,
#define KEY(id, key, kind, value, doc)
#define END(id)
#include "conf.def"
#undef SECTION
#undef KEY
#undef END
    TF_SECTION_COUNT
};

/* Places of keys in their section, as TF_KEY_RULE_until. */
#define SECTION(id, name, object, doc) enum tf_keys_of_##id {
#define KEY(id, key, kind, value, doc) TF_KEY_##id##_##key,
#define END(id)                        TF_KEYS_OF_##id };
#include "conf.def"
#undef SECTION
#undef KEY
#undef END
/* clang-format on */

extern const struct tf_section_info tf_section_infos[TF_SECTION_COUNT];

/* A choice's words: whether `word` is one of `words`, and at which place. */
bool tf_words_have(const char *words, struct tf_text word, size_t *place);

/* Writes the values that a key takes, in words: for the reference, and behind "write ". */
void tf_put_values(struct tf_writer *w, const struct tf_key *key);
/* Milliseconds as the seconds that a file has. */
void tf_put_seconds(struct tf_writer *w, uint64_t ms);

/* conf_values.c: reads setting->text into the field of the section's object that is the key's. False: it
 * could not be read. What is wrong is reported; nothing is when the arena, in which lists and texts are made,
 * is full. */
bool tf_value_set(struct tf_conf_load *load, const struct tf_section *section, const struct tf_key *key,
                  const struct tf_setting *setting);
/* Whether the values of a key written twice add up (else the second is an error). */
bool tf_key_repeats(const struct tf_key *key);
/* Whether a line end in the environment may stand for a comma. */
bool tf_key_is_list(const struct tf_key *key);

/* conf_report.c: writes the parts, each cut to 400 characters; a NULL ends them. */
void tf_put_parts(struct tf_writer *w, const char *const *parts);
/* Puts a sentence together from parts and hands it to load->report. */
void tf_report(struct tf_conf_load *load, enum tf_severity severity, const struct tf_origin *at,
               const char *const *parts);
/* `line 12` or `the environment`, as a part. */
struct tf_place {
    char text[32];
};
const char *tf_place_text(struct tf_place *place, const struct tf_origin *origin);
/* A text, cut where it is long, as a part. */
struct tf_quote {
    char text[84];
};
const char *tf_quote_text(struct tf_quote *quote, struct tf_text text);
/* The values that a key takes, as a part. */
struct tf_values {
    char text[128];
};
const char *tf_values_text(struct tf_values *values, const struct tf_key *key);
#define TF_PARTS(...) ((const char *const[]){__VA_ARGS__, NULL})
/* `[rule NAME]` as parts */
#define TF_SECTION_PARTS(s) "[", (s)->info->name, (s)->name[0] ? " " : "", (s)->name, "]"

/* The section of this kind and name, made if it is not there. NULL after a report, or when the arena is full.
 * Names that the environment cannot tell apart are the same. */
struct tf_section *tf_section_open(struct tf_conf_load *load, const struct tf_section_info *info,
                                   struct tf_text name, struct tf_origin at);
struct tf_section *tf_section_find(const struct tf_conf *conf, const struct tf_section_info *info,
                                   struct tf_text name);
/* The one section of its kind. */
struct tf_section *tf_section_plain(const struct tf_conf *conf, enum tf_section_id id);

/* conf_env.c: whether two names are the same in a variable: any case, and all but letters and digits alike.
 */
bool tf_names_fold_alike(struct tf_text a, struct tf_text b);

/* conf_check.c: whether a key has another value than its default. */
bool tf_is_written(const struct tf_section *section, size_t key);
/* And whether that value could be read. */
bool tf_is_meant(const struct tf_section *section, size_t key);
/* Where the first such key of a section was written; NULL: there is none. */
const struct tf_origin *tf_find_meant(const struct tf_section *section);
/* Where a key was written; of one at its default, where the section begins, if that was written anywhere. */
const struct tf_origin *tf_setting_origin(const struct tf_section *section, size_t key);
/* A key that is of no use without another one. */
struct tf_pairing {
    size_t key;
    unsigned sorts; /* of sections that this is about: bits, as the caller has them */
    size_t needs;
    enum tf_severity severity;
    const char *advice;
};
/* Reports those keys of a section that are written without what they need. */
void tf_check_pairings(struct tf_conf_load *load, const struct tf_section *section, unsigned sort,
                       const struct tf_pairing *pairings, size_t n);

/* conf_check_listeners.c: fills in the ports that go without saying; and what is wrong with listeners. */
void tf_finish_listeners(struct tf_conf_load *load);
void tf_check_listeners(struct tf_conf_load *load);
/* conf_check_rules.c: puts the rules one behind the other, as the policy wants them; and what is wrong with
 * them. */
void tf_gather_rules(struct tf_conf_load *load);
void tf_check_rules(struct tf_conf_load *load);
/* conf_check_pac.c: fills in the proxy of [pac] that goes without saying; and what is wrong with it. */
void tf_finish_pac(struct tf_conf_load *load);
/* conf_check_page.c: what is wrong with [page], and with rules that have one. */
void tf_check_page(struct tf_conf_load *load);
/* conf_check_tenants.c: what is wrong with [tenant_restrictions]. */
void tf_check_tenants(struct tf_conf_load *load);

#endif
