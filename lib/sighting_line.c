/* Sightings from lines of format ecs, which record.c has written; see
 * sighting.h. A line is taken apart once, and the few fields that count are
 * remembered where they stand. */
#include "line.h"
#include "sighting_fields.h"

#include <string.h>

static const struct tf_text keys[TF_FIELD_COUNT] = {
#define FIELD(id, key, column) {key, sizeof key - 1},
    TF_FIELDS(FIELD)
#undef FIELD
};

static bool is_key(enum tf_field field, struct tf_text key)
{
    return keys[field].n == key.n && key.n > 0 && memcmp(keys[field].p, key.p, key.n) == 0;
}

/* False: the line is no whole flat object. */
static bool read_fields(struct tf_fields *fields, const char *line, size_t n)
{
    struct tf_line_scan scan = tf_line_scan_of(line, n);
    struct tf_line_pair pair;
    size_t next = 0;
    while (tf_line_next(&scan, &pair))
        for (size_t i = 0; i < TF_FIELD_COUNT; i++) {
            size_t field = (next + i) % TF_FIELD_COUNT;
            if (!is_key((enum tf_field)field, pair.key))
                continue;
            fields->values[field] = pair.value;
            next = field + 1;
            break;
        }
    return scan.state == TF_SCAN_WHOLE;
}

enum tf_line tf_sighting_of_line(struct tf_sighting *s, const char *line, size_t n)
{
    struct tf_fields fields = {.put_label = tf_line_label};
    memset(s, 0, sizeof *s);
    return read_fields(&fields, line, n) ? tf_sighting_of_fields(s, &fields) : TF_LINE_BAD;
}
