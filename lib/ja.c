/* JA3, JA3S and JA4 from parsed hellos.
 *
 * JA3:  https://github.com/salesforce/ja3: the fields in the order of the
 *       hello as decimal numbers, GREASE left out.
 * JA4:  https://github.com/FoxIO-LLC/ja4, technical_details/JA4.md: counts,
 *       and two digests of lists of hexadecimal numbers, GREASE left out.
 *
 * A text goes to the caller's writer or, piece by piece and however long it
 * gets, into a digest. */
#include "ja.h"

#include "extensions.h"

#define LIST_MAX   32767u /* the cipher suites of the longest hello */
#define PIECE      256u
#define ITEM_MAX   8u /* a number and what stands before it */
#define DIGEST_MAX 32u
#define JA4_DIGITS 12

/* Where a text goes. With a digest, the writer holds the piece of it that has not been digested yet. */
struct sink {
    struct tf_writer *w;
    const struct tf_digest *digest; /* or NULL */
    bool in_list;                   /* an item stands before the next one */
};

static struct sink digest_begin(struct tf_writer *piece, const struct tf_digest *digest)
{
    digest->start(digest->ctx);
    return (struct sink){.w = piece, .digest = digest};
}

static void drain(struct sink *out)
{
    out->digest->add(out->digest->ctx, out->w->p, out->w->len);
    out->w->len = 0;
}

/* Writes the first digits of the digest in hexadecimal. */
static void digest_end(struct sink *out, struct tf_writer *w, size_t digits)
{
    uint8_t value[DIGEST_MAX];
    drain(out);
    out->digest->finish(out->digest->ctx, value);
    tf_put_hex(w, value, digits / 2);
}

static void reserve(struct sink *out)
{
    if (out->digest && out->w->cap - out->w->len < ITEM_MAX)
        drain(out);
}

static void begin_list(struct sink *out, char c)
{
    reserve(out);
    tf_put_char(out->w, c);
    out->in_list = false;
}

static void next_item(struct sink *out, char separator)
{
    reserve(out);
    if (out->in_list)
        tf_put_char(out->w, separator);
    out->in_list = true;
}

static void put_decimal(struct sink *out, uint16_t v)
{
    next_item(out, '-');
    tf_put_u64(out->w, v);
}

static void put_hex(struct sink *out, uint16_t v)
{
    next_item(out, ',');
    tf_put_hex16(out->w, v);
}

static struct tf_reader reader_over(struct tf_span s)
{
    return tf_reader_of(s.p, s.n);
}

/* The next number of a list of such that is not GREASE. */
static bool next_number(struct tf_reader *list, uint16_t *v)
{
    while (list->left > 0) {
        *v = tf_read_u16(list);
        if (!tf_is_grease(*v))
            return true;
    }
    return false;
}

/* The next extension that is not GREASE. */
static bool next_type(struct tf_reader *block, uint16_t *v)
{
    struct tf_extension ext;
    while (tf_extension_next(block, &ext)) {
        *v = ext.type;
        if (!tf_is_grease(*v))
            return true;
    }
    return false;
}

static void put_decimals(struct sink *out, struct tf_span list)
{
    struct tf_reader r = reader_over(list);
    uint16_t v = 0;
    begin_list(out, ',');
    while (next_number(&r, &v))
        put_decimal(out, v);
}

/* version,ciphers,extensions,groups,point formats */
static void put_ja3_text(struct sink *out, const struct tf_hello *hello)
{
    put_decimal(out, hello->legacy_version);
    put_decimals(out, hello->ciphers);
    struct tf_reader block = reader_over(hello->extensions);
    uint16_t type = 0;
    begin_list(out, ',');
    while (next_type(&block, &type))
        put_decimal(out, type);
    put_decimals(out, hello->groups);
    begin_list(out, ',');
    for (size_t i = 0; i < hello->point_formats.n; i++)
        put_decimal(out, hello->point_formats.p[i]);
}

void tf_put_ja3_text(struct tf_writer *w, const struct tf_hello *hello)
{
    if (hello->format == TF_FORMAT_SSLV2)
        return;
    struct sink out = {.w = w};
    put_ja3_text(&out, hello);
}

void tf_put_ja3(struct tf_writer *w, const struct tf_hello *hello, const struct tf_digest *md5)
{
    if (hello->format == TF_FORMAT_SSLV2 || md5->size == 0)
        return;
    char text[PIECE];
    struct tf_writer piece = tf_writer_of(text, sizeof text);
    struct sink out = digest_begin(&piece, md5);
    put_ja3_text(&out, hello);
    digest_end(&out, w, 2 * md5->size);
}

/* version,cipher,extensions: those of a server are all written, since no server sends GREASE. */
static void put_ja3s_text(struct sink *out, const struct tf_server_hello *hello)
{
    put_decimal(out, hello->legacy_version);
    begin_list(out, ',');
    put_decimal(out, hello->cipher);
    struct tf_reader block = reader_over(hello->extensions);
    struct tf_extension ext;
    begin_list(out, ',');
    while (tf_extension_next(&block, &ext))
        put_decimal(out, ext.type);
}

void tf_put_ja3s_text(struct tf_writer *w, const struct tf_server_hello *hello)
{
    struct sink out = {.w = w};
    put_ja3s_text(&out, hello);
}

void tf_put_ja3s(struct tf_writer *w, const struct tf_server_hello *hello, const struct tf_digest *md5)
{
    if (md5->size == 0)
        return;
    char text[PIECE];
    struct tf_writer piece = tf_writer_of(text, sizeof text);
    struct sink out = digest_begin(&piece, md5);
    put_ja3s_text(&out, hello);
    digest_end(&out, w, 2 * md5->size);
}

/* Numbers to be sorted. */
struct numbers {
    size_t n;
    uint16_t v[LIST_MAX];
};

static void sift_down(uint16_t *v, size_t n, size_t i)
{
    uint16_t sinking = v[i];
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && v[child + 1] > v[child])
            child++;
        if (v[child] <= sinking)
            break;
        v[i] = v[child];
        i = child;
    }
    v[i] = sinking;
}

/* Heapsort: a hello with tens of thousands of suites must not cost quadratic time. */
static void sort(struct numbers *list)
{
    for (size_t i = list->n / 2; i > 0; i--)
        sift_down(list->v, list->n, i - 1);
    for (size_t n = list->n; n > 1; n--) {
        uint16_t largest = list->v[0];
        list->v[0] = list->v[n - 1];
        list->v[n - 1] = largest;
        sift_down(list->v, n - 1, 0);
    }
}

/* The numbers sorted, and behind them, where there are any, signature algorithms as they came: cut off after
 * twelve digits. Nothing at all is written as zeros. */
static void put_ja4_hash(struct tf_writer *w, struct numbers *list, struct tf_span algorithms,
                         const struct tf_digest *sha256)
{
    if (list->n == 0) {
        tf_put_padded(w, 0, JA4_DIGITS);
        return;
    }
    char text[PIECE];
    struct tf_writer piece = tf_writer_of(text, sizeof text);
    struct sink out = digest_begin(&piece, sha256);
    sort(list);
    for (size_t i = 0; i < list->n; i++)
        put_hex(&out, list->v[i]);
    struct tf_reader r = reader_over(algorithms);
    uint16_t v = 0;
    bool more = next_number(&r, &v);
    if (more)
        begin_list(&out, '_');
    for (; more; more = next_number(&r, &v))
        put_hex(&out, v);
    digest_end(&out, w, JA4_DIGITS);
}

/* The numerically highest version that is offered, so that a draft is an unknown one. */
static const char *ja4_version(const struct tf_hello *hello)
{
    uint16_t highest = hello->has_supported_versions ? 0 : hello->legacy_version;
    uint16_t v = 0;
    struct tf_reader r = reader_over(hello->supported_versions);
    while (next_number(&r, &v))
        if (v > highest)
            highest = v;
    switch (highest) {
    case TF_TLS13:
        return "13";
    case TF_TLS12:
        return "12";
    case TF_TLS11:
        return "11";
    case TF_TLS10:
        return "10";
    case TF_SSL3:
        return "s3";
    case TF_SSL2:
        return "s2";
    }
    return "00";
}

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol; of its hexadecimal form if one of the two is no letter or
 * digit. */
static void put_ja4_alpn(struct tf_writer *w, struct tf_span alpn)
{
    struct tf_reader list = reader_over(alpn);
    struct tf_reader name = tf_read_vec8(&list);
    if (name.left == 0) {
        tf_put_text(w, "00");
        return;
    }
    uint8_t first = name.p[0];
    uint8_t last = name.p[name.left - 1];
    if (is_alphanumeric(first) && is_alphanumeric(last)) {
        tf_put_char(w, (char)first);
        tf_put_char(w, (char)last);
    } else {
        uint8_t mixed = (uint8_t)((first & 0xf0) | (last & 0x0f));
        tf_put_hex(w, &mixed, 1);
    }
}

static void put_count(struct tf_writer *w, size_t n)
{
    tf_put_padded(w, n > 99 ? 99 : n, 2);
}

static void collect_ciphers(const struct tf_hello *hello, struct numbers *list)
{
    struct tf_reader r = reader_over(hello->ciphers);
    uint16_t cipher = 0;
    list->n = 0;
    while (next_number(&r, &cipher))
        list->v[list->n++] = cipher;
}

static size_t count_types(const struct tf_hello *hello)
{
    struct tf_reader block = reader_over(hello->extensions);
    uint16_t type = 0;
    size_t n = 0;
    while (next_type(&block, &type))
        n++;
    return n;
}

/* Without the two that the first part of JA4 speaks of already. */
static void collect_types(const struct tf_hello *hello, struct numbers *list)
{
    struct tf_reader block = reader_over(hello->extensions);
    uint16_t type = 0;
    list->n = 0;
    while (next_type(&block, &type))
        if (type != TF_EXT_SERVER_NAME && type != TF_EXT_ALPN)
            list->v[list->n++] = type;
}

void tf_put_ja4(struct tf_writer *w, const struct tf_hello *hello, const struct tf_digest *sha256)
{
    if (hello->format == TF_FORMAT_SSLV2 || sha256->size == 0)
        return;
    struct numbers list;
    collect_ciphers(hello, &list);
    tf_put_char(w, 't');
    tf_put_text(w, ja4_version(hello));
    tf_put_char(w, hello->server_name.n > 0 ? 'd' : 'i');
    put_count(w, list.n);
    put_count(w, count_types(hello));
    put_ja4_alpn(w, hello->alpn);
    tf_put_char(w, '_');
    put_ja4_hash(w, &list, (struct tf_span){NULL, 0}, sha256);
    tf_put_char(w, '_');
    collect_types(hello, &list);
    put_ja4_hash(w, &list, hello->signature_algorithms, sha256);
}
