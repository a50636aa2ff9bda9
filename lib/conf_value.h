/* Between conf_values.c, which reads single values, and conf_lists.c, which
 * reads lists of them. Private to these two. */
#ifndef TF_CONF_VALUE_H
#define TF_CONF_VALUE_H

#include "conf_table.h"

/* A value being read. */
struct tf_value {
    const struct tf_key *key;
    struct tf_text text;
    void *field;   /* of the object that the section fills */
    size_t *count; /* of a list */
    struct tf_arena *arena;
    struct tf_writer *error;
};

/* Each writes a sentence to v->error and answers false: `ITEM why; write ...`, `why; write ...`. */
bool tf_value_wrong_item(const struct tf_value *v, struct tf_text item, const char *why);
bool tf_value_wrong(const struct tf_value *v, const char *why);
/* A copy in the arena; false when that is full. */
bool tf_value_keep(const struct tf_value *v, struct tf_text text, const char **out);

/* conf_lists.c */
bool tf_read_addresses(const struct tf_value *v);
bool tf_read_names(const struct tf_value *v);
bool tf_read_cidrs(const struct tf_value *v);
bool tf_read_destinations(const struct tf_value *v);
bool tf_read_ports(const struct tf_value *v);
bool tf_read_address_set(const struct tf_value *v);
bool tf_read_overrides(const struct tf_value *v);
bool tf_read_servers(const struct tf_value *v);

#endif
