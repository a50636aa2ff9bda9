/* Pieces of text that somebody else owns, and the little that parsers of
 * settings, addresses and hosts do with them. ASCII only, no locale. */
#ifndef TF_TEXT_H
#define TF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_text {
    const char *p;
    size_t n;
};

struct tf_text tf_text_of(const char *text); /* NUL-terminated */
bool tf_text_is(struct tf_text t, const char *text);
/* In any case. */
bool tf_text_same(struct tf_text a, struct tf_text b);
bool tf_text_is_word(struct tf_text t, const char *word);
bool tf_text_begins(struct tf_text t, const char *prefix);
bool tf_text_ends(struct tf_text t, const char *tail);
/* Without blanks (space, tab, line ends) at both ends. */
struct tf_text tf_text_trim(struct tf_text t);
/* Takes what stands before the first `separator` off the front of *rest, and the separator with it. Without
 * one it is all of *rest, which is then empty with p NULL: `while (rest.p)` goes through the items of a list.
 */
struct tf_text tf_text_take(struct tf_text *rest, char separator);
/* Decimal digits alone, at least one, and a value up to max. */
bool tf_text_number(struct tf_text t, uint64_t max, uint64_t *out);

enum { TF_UTF8_MAX = 4 };
/* The character beyond ASCII that p[0..n) begins with in UTF-8, in its shortest form and no surrogate (RFC
 * 3629): how many bytes it has. 0: there is none. */
size_t tf_utf8_take(const char *p, size_t n, uint32_t *character);
/* How many bytes the character that p[0..n) begins with has, if it is one that readers see as it is:
 * printable ASCII, or UTF-8 of none that controls, is not to be seen, or turns its neighbours round. 0: it is
 * not. */
size_t tf_text_shown(const char *p, size_t n);

char tf_ascii_lower(char c);
bool tf_ascii_is_digit(char c);
bool tf_ascii_is_alnum(char c);
/* The value of a hexadecimal digit; 16 when it is none. */
unsigned tf_ascii_hex(char c);

#endif
