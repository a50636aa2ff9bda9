/* Logins to text and back; see sasl.h. Whoever asks for one, and in which
 * words, is up to the fronts. */
#include "sasl.h"

#include <string.h>

void tf_wipe(void *p, size_t n)
{
    volatile uint8_t *at = p; /* what is volatile must be written, though nobody reads it */
    while (n-- > 0)
        *at++ = 0;
}

void tf_login_wipe(struct tf_login *login)
{
    tf_wipe(login, sizeof *login);
}

/* A field as text. False: too long, or not text. */
static bool copy_field(struct tf_text field, char out[TF_USER_MAX])
{
    if (field.n >= TF_USER_MAX || (field.n > 0 && memchr(field.p, '\0', field.n) != NULL))
        return false;
    if (field.n > 0)
        memcpy(out, field.p, field.n);
    out[field.n] = '\0';
    return true;
}

/* message = [authzid] NUL authcid NUL passwd   (RFC 4616 2); the last two are not empty */
static bool split_plain(struct tf_text message, struct tf_login *out)
{
    char acts_for[TF_USER_MAX];
    struct tf_text authzid = tf_text_take(&message, '\0');
    if (message.p == NULL)
        return false;
    struct tf_text user = tf_text_take(&message, '\0');
    if (!copy_field(authzid, acts_for) || !copy_field(user, out->user) || !copy_field(message, out->password))
        return false;
    return user.n > 0 && message.n > 0 && (authzid.n == 0 || strcmp(acts_for, out->user) == 0);
}

/* user-pass = user-id ":" password   (RFC 7617 2); the user has no colon, the password may. */
static bool split_basic(struct tf_text message, struct tf_login *out)
{
    struct tf_text user = tf_text_take(&message, ':');
    return message.p != NULL && copy_field(user, out->user) && copy_field(message, out->password);
}

/* Room for the longest message: three fields of PLAIN with their two NULs. */
enum { MESSAGE_MAX = 3 * TF_USER_MAX };

static bool read_login(struct tf_text base64, bool (*split)(struct tf_text message, struct tf_login *out),
                       struct tf_login *out)
{
    uint8_t message[MESSAGE_MAX];
    size_t n;
    bool ok = tf_base64_read(base64, message, sizeof message, &n) &&
              split((struct tf_text){(const char *)message, n}, out);
    tf_wipe(message, sizeof message);
    if (!ok)
        tf_login_wipe(out);
    return ok;
}

bool tf_sasl_read_plain(struct tf_text base64, struct tf_login *out)
{
    return read_login(base64, split_plain, out);
}

bool tf_sasl_read_basic(struct tf_text base64, struct tf_login *out)
{
    return read_login(base64, split_basic, out);
}

bool tf_sasl_read_field(struct tf_text base64, char out[TF_USER_MAX])
{
    uint8_t field[TF_USER_MAX];
    size_t n;
    bool ok = tf_base64_read(base64, field, sizeof field, &n) &&
              copy_field((struct tf_text){(const char *)field, n}, out);
    tf_wipe(field, sizeof field);
    return ok;
}

/* A message that is encoded as its pieces come, so that the whole of it, which no fixed room is sure to hold,
 * is nowhere in plain. */
struct encoder {
    struct tf_writer *w;
    uint8_t held[3];
    size_t n;
};

static void flush(struct encoder *e)
{
    tf_put_base64(e->w, e->held, e->n);
    e->n = 0;
}

static void add(struct encoder *e, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        e->held[e->n++] = (uint8_t)p[i];
        if (e->n == sizeof e->held)
            flush(e);
    }
}

static void add_text(struct encoder *e, const char *text)
{
    add(e, text, strlen(text));
}

void tf_sasl_put_plain(struct tf_writer *w, const struct tf_login *login)
{
    struct encoder e = {.w = w};
    add(&e, "", 1);
    add(&e, login->user, strlen(login->user) + 1);
    add_text(&e, login->password);
    flush(&e);
}

void tf_sasl_put_field(struct tf_writer *w, const char *field)
{
    tf_put_base64(w, field, strlen(field));
}

void tf_sasl_put_xoauth2(struct tf_writer *w, const char *mailbox, const char *token)
{
    struct encoder e = {.w = w};
    add_text(&e, "user=");
    add_text(&e, mailbox);
    add_text(&e, "\1auth=Bearer ");
    add_text(&e, token);
    add_text(&e, "\1\1");
    flush(&e);
}
