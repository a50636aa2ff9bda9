/* Asking for a token; see oauth_ask.h. The connection is fetch.c's. */
#include "oauth_ask.h"

#include "../lib/form.h"
#include "../lib/sasl.h"
#include "fetch.h"
#include "oauth.h"
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_MAX = 64 << 10,
    FORM_MAX = 4 * 3 * OAUTH_VALUE_MAX + 256, /* four values, each byte written as %XX */
    LIFE_S = 3600,                            /* of a token that does not say */
    LIFE_MAX_S = 24 * 60 * 60,
    ERROR_TEXT_MAX = 64,
    DESCRIPTION_MAX = 384
};

static void put_form(struct tf_writer *w, const struct oauth_file *file, const char *refresh_token)
{
    tf_put_form_field(w, "grant_type", refresh_token ? "refresh_token" : "client_credentials");
    tf_put_form_field(w, "client_id", file->client_id);
    if (file->client_secret)
        tf_put_form_field(w, "client_secret", file->client_secret);
    if (refresh_token)
        tf_put_form_field(w, "refresh_token", refresh_token);
    tf_put_form_field(w, "scope", file->scope);
    assert(!w->full);
}

static bool is_visible(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    return n > 0;
}

/* A copy of a text that may stand in a login. NULL: there is none. */
static char *copy_text(const json_t *answer, const char *name, size_t max)
{
    const json_t *value = json_object_get(answer, name);
    size_t n = json_string_length(value);
    return n <= max && is_visible(json_string_value(value), n) ? strdup(json_string_value(value)) : NULL;
}

/* A number, or as older endpoints write it, its digits as a string. */
static uint64_t life_ms_of(const json_t *answer)
{
    const json_t *value = json_object_get(answer, "expires_in");
    uint64_t life_s = LIFE_S;
    if (json_is_integer(value))
        life_s = json_integer_value(value) > 0 ? (uint64_t)json_integer_value(value) : 1;
    else if (json_is_string(value))
        tf_text_number((struct tf_text){json_string_value(value), json_string_length(value)}, UINT64_MAX,
                       &life_s);
    return 1000 * (life_s > LIFE_MAX_S ? LIFE_MAX_S : life_s);
}

/* RFC 6749 5.1. */
static bool read_token(const json_t *answer, struct oauth_answer *out, char *why, size_t size)
{
    const json_t *type = json_object_get(answer, "token_type");
    if (type && (!json_is_string(type) || strcasecmp(json_string_value(type), "bearer") != 0)) {
        snprintf(why, size, "the token endpoint answers with a token that is no bearer token");
        return false;
    }
    out->token = copy_text(answer, "access_token", OAUTH_TOKEN_MAX);
    if (!out->token) {
        snprintf(why, size,
                 "the token endpoint answers without an access_token of 1 to %d visible characters",
                 OAUTH_TOKEN_MAX);
        return false;
    }
    out->refresh_token = copy_text(answer, "refresh_token", OAUTH_VALUE_MAX);
    out->life_ms = life_ms_of(answer);
    return true;
}

/* A text of the endpoint's on one line of printable ASCII, cut to `max`. */
static void put_text(struct tf_writer *w, const json_t *value, size_t max)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    for (size_t i = 0; i < n && i < max; i++) {
        if (text[i] == '\r' || text[i] == '\n')
            tf_put_char(w, ' ');
        else
            tf_put_char(w, text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?');
    }
    tf_put_text(w, n > max ? "..." : "");
}

static bool is_told(const json_t *value, const char *secret)
{
    return secret && json_is_string(value) && strstr(json_string_value(value), secret);
}

/* RFC 6749 5.2. An endpoint that repeats what it was told does not get it into a log. */
static void read_error(const json_t *answer, const struct fetched *response, const struct oauth_file *file,
                       const char *refresh_token, char *why, size_t size)
{
    const json_t *error = json_object_get(answer, "error");
    const json_t *description = json_object_get(answer, "error_description");
    struct tf_writer w = tf_writer_of(why, size - 1);
    tf_put_text(&w, "the token endpoint answers with HTTP status ");
    tf_put_u64(&w, response->status);
    if (is_told(error, file->client_secret) || is_told(error, refresh_token) ||
        is_told(description, file->client_secret) || is_told(description, refresh_token)) {
        tf_put_text(&w, ", and with words that hold a secret");
    } else if (json_is_string(error)) {
        tf_put_text(&w, ", ");
        put_text(&w, error, ERROR_TEXT_MAX);
        tf_put_text(&w, json_is_string(description) ? ": " : "");
        put_text(&w, description, DESCRIPTION_MAX);
    } else {
        tf_put_text(&w, " and nothing that says why; check the file's tenant or token_endpoint");
    }
    why[w.len] = '\0';
}

static bool read_answer(const struct fetched *response, const struct oauth_file *file,
                        const char *refresh_token, struct oauth_answer *out, char *why, size_t size)
{
    json_t *answer = json_loadb(response->body, response->len, JSON_REJECT_DUPLICATES, NULL);
    bool ok = false;
    if (response->status == 200 && json_is_object(answer))
        ok = read_token(answer, out, why, size);
    else
        read_error(answer, response, file, refresh_token, why, size);
    json_decref(answer);
    return ok;
}

enum oauth_result oauth_ask(const struct oauth_file *file, const char *refresh_token,
                            const struct tf_conf *conf, const struct tls *tls, struct oauth_answer *out,
                            char *why, size_t size)
{
    char form[FORM_MAX];
    struct tf_writer w = tf_writer_of(form, sizeof form);
    struct fetched response;
    *out = (struct oauth_answer){.token = NULL};
    put_form(&w, file, refresh_token);
    bool fetched = fetch_post(conf, tls, file->endpoint, (struct tf_text){form, w.len}, ANSWER_MAX,
                              conf->limits.login_ms, &response, why, size);
    tf_wipe(form, sizeof form);
    if (!fetched)
        return OAUTH_UNREACHABLE;
    bool granted = read_answer(&response, file, refresh_token, out, why, size);
    tf_wipe(response.body, response.len);
    free(response.body);
    return granted ? OAUTH_GRANTED : OAUTH_REFUSED;
}
