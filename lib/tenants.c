/* Header fields of tenant restrictions; see tenants.h. */
#include "tenants.h"

#include "host.h"
#include <string.h>

#define TENANTS "Restrict-Access-To-Tenants"
#define CONTEXT "Restrict-Access-Context"
#define POLICY  "sec-Restrict-Tenant-Access-Policy"

static bool is_consumer_host(const char *host)
{
    return strcmp(host, "login.live.com") == 0;
}

static bool is_work_host(const char *host)
{
    static const char *const hosts[] = {"login.microsoftonline.com", "login.microsoft.com",
                                        "login.windows.net"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
        if (strcmp(host, hosts[i]) == 0)
            return true;
    return false;
}

bool tf_tenants_restrict(const struct tf_tenants *t, const char *host)
{
    switch (t->version) {
    case TF_TENANTS_OFF:
        break;
    case TF_TENANTS_V1:
        return is_work_host(host) || (t->no_consumer && is_consumer_host(host));
    case TF_TENANTS_V2:
        return is_work_host(host) || is_consumer_host(host);
    }
    return false;
}

bool tf_tenants_own(struct tf_text name)
{
    return tf_text_is_word(name, TENANTS) || tf_text_is_word(name, CONTEXT) || tf_text_is_word(name, POLICY);
}

static void put_field(struct tf_writer *w, const char *name, const char *value)
{
    tf_put_text(w, name);
    tf_put_text(w, ": ");
    tf_put_text(w, value);
    tf_put_text(w, "\r\n");
}

/* As Microsoft's own examples have it: commas, and no blanks. */
static void put_allowed(struct tf_writer *w, const char *allowed)
{
    struct tf_text rest = tf_text_of(allowed);
    tf_put_text(w, TENANTS ": ");
    while (rest.p != NULL) {
        struct tf_text tenant = tf_text_trim(tf_text_take(&rest, ','));
        tf_put(w, tenant.p, tenant.n);
        tf_put_text(w, rest.p != NULL ? "," : "\r\n");
    }
}

void tf_tenants_put(struct tf_writer *w, const struct tf_tenants *t, const char *host)
{
    if (t->version == TF_TENANTS_V2) {
        put_field(w, POLICY, t->policy);
    } else if (is_consumer_host(host)) {
        put_field(w, POLICY, "restrict-msa");
    } else {
        put_allowed(w, t->allowed);
        put_field(w, CONTEXT, t->context);
    }
}

const char *tf_tenants_name(const struct tf_tenants *t)
{
    return t->version == TF_TENANTS_V2 ? "v2" : "v1";
}

/* 8-4-4-4-12 hexadecimal digits   (RFC 9562 4) */
bool tf_tenants_is_id(struct tf_text text)
{
    enum { LENGTH = 36 };
    if (text.n != LENGTH)
        return false;
    for (size_t i = 0; i < LENGTH; i++) {
        bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_hyphen ? text.p[i] != '-' : tf_ascii_hex(text.p[i]) > 15)
            return false;
    }
    return true;
}

bool tf_tenants_is_tenant(struct tf_text text)
{
    struct tf_target domain;
    return tf_tenants_is_id(text) ||
           (tf_host_parse(text.p, text.n, &domain) == TF_HOST_OK && !domain.is_address &&
            strlen(domain.host) == text.n && strchr(domain.host, '.') != NULL);
}

bool tf_tenants_is_policy(struct tf_text text)
{
    struct tf_text policy = text;
    return tf_tenants_is_id(tf_text_take(&policy, ':')) && tf_tenants_is_id(policy);
}
