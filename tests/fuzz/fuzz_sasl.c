/* Logins: what is read must be text that fits, and must be read again from what it is written as. The first
 * byte picks the shape. */
#include "../../lib/sasl.h"
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static struct tf_text text_of(const struct tf_writer *w)
{
    check(!w->full);
    return (struct tf_text){w->p, w->len};
}

static void check_base64(struct tf_text text)
{
    char room[1024];
    uint8_t bytes[sizeof room / 4 * 3];
    size_t n;
    struct tf_writer w = tf_writer_of(room, sizeof room);

    if (!tf_base64_read(text, bytes, sizeof bytes, &n))
        return;
    tf_put_base64(&w, bytes, n);
    struct tf_text again = text_of(&w);
    check(again.n == text.n && (text.n == 0 || memcmp(again.p, text.p, text.n) == 0));
}

static void check_login(const struct tf_login *login)
{
    static const struct tf_login zero;
    char room[1024];
    struct tf_login again;
    struct tf_writer w = tf_writer_of(room, sizeof room);

    check(strlen(login->user) < TF_USER_MAX && strlen(login->password) < TF_USER_MAX);
    tf_sasl_put_plain(&w, login);
    bool is_whole = login->user[0] != '\0' && login->password[0] != '\0';
    check(tf_sasl_read_plain(text_of(&w), &again) == is_whole);
    if (is_whole)
        check(strcmp(again.user, login->user) == 0 && strcmp(again.password, login->password) == 0);
    else
        check(memcmp(&again, &zero, sizeof zero) == 0);
}

static void check_field(const char *field)
{
    char room[512], again[TF_USER_MAX];
    struct tf_writer w = tf_writer_of(room, sizeof room);

    tf_sasl_put_field(&w, field);
    check(tf_sasl_read_field(text_of(&w), again) && strcmp(again, field) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_login login;
    char field[TF_USER_MAX];

    if (size == 0)
        return 0;
    struct tf_text text = {(const char *)data + 1, size - 1};
    switch (data[0] % 4) {
    case 0:
        if (tf_sasl_read_plain(text, &login))
            check_login(&login);
        break;
    case 1:
        if (tf_sasl_read_basic(text, &login))
            check_login(&login);
        break;
    case 2:
        if (tf_sasl_read_field(text, field))
            check_field(field);
        break;
    case 3:
        check_base64(text);
        break;
    }
    return 0;
}
