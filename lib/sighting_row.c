/* Sightings from lines of format w3c, which w3c.c has written; see
 * sighting.h.
 *
 *   #Fields: date time s-sitename c-ip ...      which value of a row is what
 *   2026-11-21 23:06:59 proxy 10.20.0.7 ...     - is none, + a blank, %2b a +
 */
#include "sighting_fields.h"

#include <string.h>

enum { INSTANT_SIZE = 24 /* of 2026-11-21T23:06:59Z */ };

static const char *const columns[TF_FIELD_COUNT] = {
#define FIELD(id, key, column) column,
    TF_FIELDS(FIELD)
#undef FIELD
};

/* The next word of a line; false: there is none. */
static bool take_word(struct tf_text *rest, struct tf_text *word)
{
    *rest = tf_text_trim(*rest);
    if (rest->n == 0)
        return false;
    *word = tf_text_take(rest, ' ');
    return true;
}

/* Of a column that does not count: TF_FIELD_COUNT. */
static enum tf_field field_of(struct tf_text column)
{
    enum tf_field field = 0;
    while (field < TF_FIELD_COUNT && !tf_text_is_word(column, columns[field]))
        field++;
    return field;
}

/* Of more columns than there is room for none is known. */
static void read_columns(struct tf_columns *to, struct tf_text names)
{
    struct tf_text name;
    to->count = 0;
    while (take_word(&names, &name)) {
        if (to->count == TF_COLUMNS_MAX) {
            to->count = 0;
            return;
        }
        to->fields[to->count++] = (uint8_t)field_of(name);
    }
}

/* As they stand; false: there are not as many of them as columns. */
static bool read_values(struct tf_fields *fields, const struct tf_columns *of, struct tf_text row)
{
    struct tf_text value;
    for (size_t i = 0; i < of->count; i++) {
        if (!take_word(&row, &value))
            return false;
        if (of->fields[i] < TF_FIELD_COUNT && !tf_text_is(value, "-"))
            fields->values[of->fields[i]] = value;
    }
    return !take_word(&row, &value);
}

/* Date and time as ecs has them, in one. False: they do not fit, and are none. */
static bool join_time(struct tf_fields *fields, char instant[INSTANT_SIZE])
{
    const struct tf_text *date = &fields->values[TF_FIELD_W3C_DATE],
                         *time = &fields->values[TF_FIELD_W3C_TIME];
    struct tf_writer w = tf_writer_of(instant, INSTANT_SIZE);
    tf_put(&w, date->p, date->n);
    tf_put_char(&w, 'T');
    tf_put(&w, time->p, time->n);
    tf_put_char(&w, 'Z');
    fields->values[TF_FIELD_TIME] = (struct tf_text){instant, w.len};
    return !w.full;
}

/* What was asked for is in one column, name or address; ecs has names alone there. */
static void drop_address(struct tf_fields *fields)
{
    struct tf_text *host = &fields->values[TF_FIELD_DOMAIN];
    struct tf_addr address;
    if (host->n > 0 && tf_addr_parse(host->p, host->n, &address))
        *host = (struct tf_text){NULL, 0};
}

/* The byte that a value begins with, which is taken off its front. */
static char take_byte(struct tf_text *rest)
{
    char c = *rest->p;
    unsigned high = 16, low = 16;
    size_t size = 1;
    if (c == '%' && rest->n > 2) {
        high = tf_ascii_hex(rest->p[1]);
        low = tf_ascii_hex(rest->p[2]);
        size = 3;
    }
    *rest = (struct tf_text){rest->p + size, rest->n - size};
    if (c == '%')
        return high < 16 && low < 16 ? (char)(high * 16 + low) : '?';
    return c == '+' ? ' ' : c;
}

static void put_label(char *to, size_t size, struct tf_text value)
{
    char bytes[4 * TF_SIGHTING_AGENT_MAX];
    size_t n = 0;
    while (value.n > 0 && n < sizeof bytes)
        bytes[n++] = take_byte(&value);
    tf_label_copy(to, size, (struct tf_text){bytes, n});
}

enum tf_line tf_sighting_of_row(struct tf_sighting *s, struct tf_columns *of, const char *line, size_t n)
{
    static const char directive[] = "#Fields:";
    struct tf_fields fields = {.put_label = put_label};
    struct tf_text row = {line, n};
    char instant[INSTANT_SIZE];
    memset(s, 0, sizeof *s);
    if (tf_text_begins(row, directive)) {
        read_columns(of, (struct tf_text){line + sizeof directive - 1, n - (sizeof directive - 1)});
        return TF_LINE_OTHER;
    }
    if (tf_text_begins(row, "#"))
        return TF_LINE_OTHER;
    if (!read_values(&fields, of, row) || !join_time(&fields, instant))
        return TF_LINE_BAD;
    drop_address(&fields);
    return tf_sighting_of_fields(s, &fields);
}
