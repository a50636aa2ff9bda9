/* Base64 both ways; see base64.h. */
#include "base64.h"

/* What six bits are written as. */
static char letter_of(uint32_t bits)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return letters[bits & 63];
}

/* And back; 64 when it is no letter of base64. */
static uint32_t bits_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (tf_ascii_is_digit(c))
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Three bytes are 24 bits are four letters:
 *
 *   aaaaaaaa bbbbbbbb cccccccc
 *   wwwwwwxx xxxxyyyy yyzzzzzz
 *
 * Of one byte at the end there are two letters, of two there are three; `=` stands for each that is missing.
 */
void tf_put_base64(struct tf_writer *w, const void *p, size_t n)
{
    const uint8_t *at = p;
    if (w->full || TF_BASE64_SIZE(n) > w->cap - w->len) {
        w->full = true;
        return;
    }
    for (; n > 0; n -= n < 3 ? n : 3, at += 3) {
        uint32_t bits = (uint32_t)at[0] << 16;
        if (n > 1)
            bits |= (uint32_t)at[1] << 8;
        if (n > 2)
            bits |= at[2];
        char four[4] = {letter_of(bits >> 18), letter_of(bits >> 12), n > 1 ? letter_of(bits >> 6) : '=',
                        n > 2 ? letter_of(bits) : '='};
        tf_put(w, four, sizeof four);
    }
}

/* How many `=` end the text: each stands for a byte that the last group lacks. */
static size_t padding_of(struct tf_text text)
{
    size_t n = 0;
    while (n < 2 && n < text.n && text.p[text.n - 1 - n] == '=')
        n++;
    return n;
}

bool tf_base64_read(struct tf_text text, uint8_t *out, size_t room, size_t *n)
{
    size_t padding = padding_of(text), size = text.n / 4 * 3 - padding;
    uint32_t bits = 0;
    if (text.n % 4 != 0 || size > room)
        return false;
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool is_padding = i >= text.n - padding;
        uint32_t six = is_padding ? 0 : bits_of(text.p[i]);
        if (six > 63)
            return false;
        bits = bits << 6 | six;
        if (i % 4 != 3)
            continue;
        for (int shift = 16; shift >= 0 && *n < size; shift -= 8)
            out[(*n)++] = (uint8_t)(bits >> shift);
    }
    /* What the padding leaves of the last group must be nothing, or several texts would be the same bytes. */
    return (bits & ((1u << 8 * padding) - 1)) == 0;
}
