/* Between conf_values.c, which reads single values, conf_lists.c, which reads
 * lists of them, and conf_hints.c, which has the words for what is written by
 * mistake. Private to these. */
#ifndef TF_CONF_VALUE_H
#define TF_CONF_VALUE_H

#include "conf_table.h"

/* A value being read. */
struct tf_value {
    struct tf_conf_load *load;
    const struct tf_section *section;
    const struct tf_key *key;
    const struct tf_setting *setting; /* where it was written */
    struct tf_text text;
    void *field;   /* of the object that the section fills */
    size_t *count; /* of a list */
};

/* Whether a text looks as if there were a login in it, as in a URL, which is not to be repeated. */
bool tf_value_has_login(struct tf_text text);
/* Each reports an error and answers false. */
bool tf_value_refuse(const struct tf_value *v, const char *const *sentence);
/* `why; write VALUES`: for the value as a whole. */
bool tf_value_wrong(const struct tf_value *v, const char *why);
/* `ITEM why; write VALUES`: for an entry of a list. */
bool tf_value_wrong_item(const struct tf_value *v, struct tf_text item, const char *why);
/* A copy in the arena; false when that is full. */
bool tf_value_keep(const struct tf_value *v, struct tf_text text, const char **out);

/* conf_hints.c: for an item that could not be read. Each reports why, with what is likely meant, and answers
 * false. */
bool tf_value_wrong_word(const struct tf_value *v, struct tf_text item, const char *why);
bool tf_value_wrong_listen(const struct tf_value *v, struct tf_text item);
bool tf_value_wrong_block(const struct tf_value *v, struct tf_text item);
bool tf_value_wrong_class(const struct tf_value *v, struct tf_text item);
bool tf_value_wrong_host(const struct tf_value *v, struct tf_text item, enum tf_host_error error);
bool tf_value_wrong_destination(const struct tf_value *v, struct tf_text item, enum tf_host_error error);
bool tf_value_wrong_set(const struct tf_value *v, struct tf_text item);
bool tf_value_wrong_pattern(const struct tf_value *v, struct tf_text item);
bool tf_value_wrong_seconds(const struct tf_value *v);

/* conf_lists.c */
bool tf_read_addresses(const struct tf_value *v);
bool tf_read_names(const struct tf_value *v);
bool tf_read_cidrs(const struct tf_value *v);
bool tf_read_destinations(const struct tf_value *v);
bool tf_read_patterns(const struct tf_value *v);
bool tf_read_proxies(const struct tf_value *v);
bool tf_read_ports(const struct tf_value *v);
bool tf_read_address_set(const struct tf_value *v);
bool tf_read_overrides(const struct tf_value *v);
bool tf_read_servers(const struct tf_value *v);

#endif
