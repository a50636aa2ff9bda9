/* Calls of the endpoint web service; see endpoints_service.h. How its sets
 * are read is endpoints.c's. */
#include "endpoints_service.h"

#include "../lib/text.h"
#include "conf_file.h"
#include "whole_file.h"
#include <jansson.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 60000, URL_MAX = 256 };

/* Those that are not named are left out, all but Common. */
#define AREAS "Common,Exchange,SharePoint,Skype,MEM"

/* 8-4-4-4-12 hexadecimal digits (RFC 9562 4). */
static bool is_guid(struct tf_text t)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (t.n != sizeof form - 1)
        return false;
    for (size_t i = 0; i < t.n; i++)
        if (form[i] == '-' ? t.p[i] != '-' : tf_ascii_hex(t.p[i]) > 15)
            return false;
    return true;
}

/* A random one (RFC 9562 5.4). */
static bool make_guid(char *out, size_t size)
{
    unsigned char r[16];
    struct tf_writer w = tf_writer_of(out, size - 1);

    if (RAND_bytes(r, sizeof r) != 1)
        return false;
    r[6] = (unsigned char)(0x40 | (r[6] & 0x0f));
    r[8] = (unsigned char)(0x80 | (r[8] & 0x3f));
    for (size_t i = 0; i < sizeof r; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            tf_put_char(&w, '-');
        tf_put_hex(&w, &r[i], 1);
    }
    out[w.len] = '\0';
    return true;
}

bool endpoints_service_identify(struct endpoints_service *s, const char *path)
{
    char ignored[160];
    size_t n = 0;
    char *kept = conf_file_read(path, &n, ignored, sizeof ignored);
    struct tf_text guid = tf_text_trim((struct tf_text){kept, n});
    bool found = kept && is_guid(guid);
    if (found)
        snprintf(s->client_id, sizeof s->client_id, "%.*s", (int)guid.n, guid.p);
    free(kept);
    if (found)
        return true;

    if (!make_guid(s->client_id, sizeof s->client_id)) {
        snprintf(s->error, s->error_size, "OpenSSL has no random bytes");
        return false;
    }
    int why = whole_file_write(path, s->client_id, strlen(s->client_id), 0644, true);
    if (why != 0)
        snprintf(s->error, s->error_size, "%s cannot be written: %s", path, strerror(why));
    return why == 0;
}

bool endpoints_service_get(const struct endpoints_service *s, const char *url, struct fetched *out)
{
    if (!fetch_get(s->conf, s->tls, url, CONF_FILE_MAX, TIMEOUT_MS, out, s->error, s->error_size))
        return false;
    if (out->status == 200)
        return true;
    snprintf(s->error, s->error_size, "%s answers with HTTP status %u%s", url, out->status,
             out->status == 429 ? ", too many requests; wait an hour" : "");
    free(out->body);
    return false;
}

bool endpoints_service_version(const struct endpoints_service *s, const char *instance,
                               char version[ENDPOINTS_VERSION_SIZE])
{
    char url[URL_MAX];
    struct fetched answer;
    uint64_t ignored;

    snprintf(url, sizeof url, "https://endpoints.office.com/version/%s?ClientRequestId=%s", instance,
             s->client_id);
    if (!endpoints_service_get(s, url, &answer))
        return false;
    json_t *json = json_loadb(answer.body, answer.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *latest = json_object_get(json, "latest");
    struct tf_text text = {json_string_value(latest), json_string_length(latest)};
    bool ok = text.n == ENDPOINTS_VERSION_SIZE - 1 && tf_text_number(text, UINT64_MAX, &ignored);
    if (ok)
        memcpy(version, text.p, ENDPOINTS_VERSION_SIZE);
    else
        snprintf(s->error, s->error_size, "%s answers with something that is no version", url);
    json_decref(json);
    free(answer.body);
    return ok;
}

bool endpoints_service_sets(const struct endpoints_service *s, const char *instance, struct fetched *out)
{
    char url[URL_MAX];
    snprintf(url, sizeof url,
             "https://endpoints.office.com/endpoints/%s?ClientRequestId=%s&ServiceAreas=" AREAS, instance,
             s->client_id);
    return endpoints_service_get(s, url, out);
}
