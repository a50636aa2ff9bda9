/* OpenMetrics 1.0 text; see openmetrics.h. */
#include "openmetrics.h"

#include <string.h>

enum { LABEL_MAX = 64 };

static void put_line(struct tf_writer *w, const char *what, const char *name, const char *text)
{
    tf_put_text(w, what);
    tf_put_text(w, name);
    tf_put_char(w, ' ');
    tf_put_text(w, text);
    tf_put_char(w, '\n');
}

void om_put_family(struct tf_writer *w, const struct om_family *family)
{
    put_line(w, "# TYPE ", family->name, family->type);
    put_line(w, "# HELP ", family->name, family->help);
}

void om_put_name(struct tf_writer *w, const struct om_family *family)
{
    tf_put_text(w, family->name);
    if (strcmp(family->type, "counter") == 0)
        tf_put_text(w, "_total");
}

/* Bytes of the UTF-8 character (RFC 3629) at text, which is NUL-terminated; 0: there is none. */
static size_t utf8_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    bool is_long = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool is_beyond = (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90);
    return is_long || is_beyond ? 0 : n;
}

static void put_escaped(struct tf_writer *w, const char *text)
{
    size_t n;
    for (const char *c = text; *c != '\0' && (size_t)(c - text) < LABEL_MAX; c += n > 0 ? n : 1) {
        n = utf8_length(c);
        if (*c == '"' || *c == '\\')
            tf_put_char(w, '\\');
        if (*c == '\n')
            tf_put_text(w, "\\n");
        else if (n > 0)
            tf_put(w, c, n);
        else
            tf_put_char(w, '?');
    }
}

void om_put_label(struct tf_writer *w, bool is_first, const char *name, const char *value)
{
    tf_put_char(w, is_first ? '{' : ',');
    tf_put_text(w, name);
    tf_put_text(w, "=\"");
    put_escaped(w, value);
    tf_put_char(w, '"');
}

void om_end_labels(struct tf_writer *w)
{
    tf_put_char(w, '}');
}

void om_put_value(struct tf_writer *w, uint64_t value)
{
    tf_put_char(w, ' ');
    tf_put_u64(w, value);
    tf_put_char(w, '\n');
}

void om_put_signed(struct tf_writer *w, int64_t value)
{
    tf_put_char(w, ' ');
    tf_put_i64(w, value);
    tf_put_char(w, '\n');
}

void om_put_milli(struct tf_writer *w, uint64_t thousandths)
{
    tf_put_char(w, ' ');
    tf_put_u64(w, thousandths / 1000);
    tf_put_char(w, '.');
    tf_put_padded(w, thousandths % 1000, 3);
    tf_put_char(w, '\n');
}

void om_put_labelled(struct tf_writer *w, const struct om_family *family, const char *label, const char *text,
                     uint64_t value)
{
    om_put_name(w, family);
    om_put_label(w, true, label, text);
    om_end_labels(w);
    om_put_value(w, value);
}
