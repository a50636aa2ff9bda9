/* Lines of JSON, pair by pair; see line.h. */
#include "line.h"

#include <string.h>

static void skip_blanks(struct tf_line_scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r'))
        scan->at++;
}

/* Takes a character that stands next, behind blanks. */
static bool take(struct tf_line_scan *scan, char c)
{
    skip_blanks(scan);
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

struct tf_line_scan tf_line_scan_of(const char *line, size_t n)
{
    struct tf_line_scan scan = {.at = line, .end = line + n, .is_first = true};
    if (!take(&scan, '{'))
        scan.state = TF_SCAN_BROKEN;
    return scan;
}

/* Whether the quote belongs to the text, because an odd number of backslashes stands in front of it. */
static bool is_escaped(const char *start, const char *quote)
{
    const char *p = quote;
    while (p > start && p[-1] == '\\')
        p--;
    return (quote - p) % 2 != 0;
}

/* What is behind an opening quote, up to the closing one, which is taken. */
static bool take_text(struct tf_line_scan *scan, struct tf_text *text)
{
    const char *start = scan->at, *from = start;
    for (;;) {
        const char *quote = from < scan->end ? memchr(from, '"', (size_t)(scan->end - from)) : NULL;
        if (quote == NULL)
            return false;
        if (!is_escaped(from, quote)) {
            *text = (struct tf_text){start, (size_t)(quote - start)};
            scan->at = quote + 1;
            return true;
        }
        from = quote + 1;
    }
}

/* A list of texts, numbers and words; what is in it is not looked at. */
static bool take_array(struct tf_line_scan *scan)
{
    struct tf_text ignored;
    while (scan->at < scan->end) {
        switch (*scan->at++) {
        case ']':
            return true;
        case '"':
            if (!take_text(scan, &ignored))
                return false;
            break;
        case '[':
        case '{':
            return false;
        }
    }
    return false;
}

/* A number, `true`, `false` or `null`. */
static bool take_word(struct tf_line_scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end &&
           (tf_ascii_is_alnum(*scan->at) || *scan->at == '-' || *scan->at == '+' || *scan->at == '.'))
        scan->at++;
    return scan->at > start;
}

static bool take_value(struct tf_line_scan *scan, struct tf_text *value)
{
    if (take(scan, '"'))
        return take_text(scan, value);
    const char *start = scan->at;
    if (!(take(scan, '[') ? take_array(scan) : take_word(scan)))
        return false;
    *value = (struct tf_text){start, (size_t)(scan->at - start)};
    return true;
}

/* Behind the closing bracket nothing may follow. */
static void end(struct tf_line_scan *scan)
{
    skip_blanks(scan);
    scan->state = scan->at == scan->end ? TF_SCAN_WHOLE : TF_SCAN_BROKEN;
}

bool tf_line_next(struct tf_line_scan *scan, struct tf_line_pair *pair)
{
    if (scan->state != TF_SCAN_OPEN)
        return false;
    bool is_first = scan->is_first;
    scan->is_first = false;
    if (take(scan, '}')) {
        end(scan);
        return false;
    }
    if ((is_first || take(scan, ',')) && take(scan, '"') && take_text(scan, &pair->key) && take(scan, ':') &&
        take_value(scan, &pair->value))
        return true;
    scan->state = TF_SCAN_BROKEN;
    return false;
}

/* The character that an escape stands for, which is taken off the front of *rest. */
static char take_escape(struct tf_text *rest)
{
    unsigned code = 0;
    char letter = rest->n > 1 ? rest->p[1] : '?';
    size_t size = letter == 'u' ? 6 : 2;
    if (size > rest->n)
        size = rest->n;
    for (size_t i = 2; i < size; i++)
        code = code * 16 + tf_ascii_hex(rest->p[i]) % 16;
    *rest = (struct tf_text){rest->p + size, rest->n - size};
    if (code >> 10 == 0xd800 >> 10 && tf_text_begins(*rest, "\\u") && rest->n >= 6) /* its other half */
        *rest = (struct tf_text){rest->p + 6, rest->n - 6};
    if (letter == 'u')
        return code < 0x80 ? (char)code : '?';
    return letter == '"' || letter == '\\' || letter == '/' ? letter : '?';
}

void tf_line_label(char *to, size_t size, struct tf_text value)
{
    size_t n = 0;
    while (value.n > 0 && n + 1 < size) {
        char c = *value.p;
        if (c == '\\')
            c = take_escape(&value);
        else
            value = (struct tf_text){value.p + 1, value.n - 1};
        to[n++] = c >= ' ' && c <= '~' ? c : '?';
    }
    to[n] = '\0';
}
