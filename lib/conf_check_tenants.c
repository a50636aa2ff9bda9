/* Tenant restrictions as a whole: which keys go with which of the two
 * versions, and whether what is written is what Microsoft takes. */
#include "conf_table.h"

/* The version that a key is of, and what to write for those that it cannot do without. */
static const struct {
    size_t key;
    enum tf_tenants_version version;
    const char *what; /* NULL: it can be left out */
} keys[] = {
    {TF_KEY_TENANTS_allowed, TF_TENANTS_V1, "domains or directory IDs of tenants, with commas between them"},
    {TF_KEY_TENANTS_context, TF_TENANTS_V1, "the directory ID of your own tenant"},
    {TF_KEY_TENANTS_consumer, TF_TENANTS_V1, NULL},
    {TF_KEY_TENANTS_policy, TF_TENANTS_V2, "TENANT-ID:POLICY-ID, both GUIDs"},
};

static const struct tf_origin *origin_of(const struct tf_section *section, size_t key)
{
    return &section->settings[key].origin;
}

/* Forum answers mix the versions up, and Microsoft then ignores what it does not expect: so does nobody
 * here. */
static void check_keys(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_tenants *t = &load->conf->tenants;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *name = section->info->keys[keys[i].key].name;
        const char *of = keys[i].version == TF_TENANTS_V1 ? "v1" : "v2";
        bool is_written = tf_is_written(section, keys[i].key);
        if (t->version == keys[i].version) {
            if (keys[i].what != NULL && !is_written)
                tf_report(load, TF_ERROR, origin_of(section, TF_KEY_TENANTS_version),
                          TF_PARTS(TF_SECTION_PARTS(section), " version = ", of, " needs ", name, "; write ",
                                   name, " = and ", keys[i].what));
        } else if (is_written) {
            bool is_off = t->version == TF_TENANTS_OFF;
            tf_report(load, is_off ? TF_WARNING : TF_ERROR, origin_of(section, keys[i].key),
                      TF_PARTS(TF_SECTION_PARTS(section), " ", name, " is of ", of, ", and the version is ",
                               is_off ? "off" : tf_tenants_name(t), "; write version = ", of,
                               is_off ? "" : " and what belongs to it", ", or leave ", name, " out"));
        }
    }
}

static void check_allowed(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_origin *at = origin_of(section, TF_KEY_TENANTS_allowed);
    struct tf_text rest = tf_text_of(load->conf->tenants.allowed);
    while (rest.p != NULL) {
        struct tf_quote quote;
        struct tf_text tenant = tf_text_trim(tf_text_take(&rest, ','));
        if (!tf_tenants_is_tenant(tenant))
            tf_report(load, TF_ERROR, at,
                      TF_PARTS(TF_SECTION_PARTS(section), " allowed has '", tf_quote_text(&quote, tenant),
                               "', which is neither a domain nor a directory ID (a GUID); ",
                               "write such as contoso.onmicrosoft.com"));
    }
}

static void check_form(struct tf_conf_load *load, const struct tf_section *section, size_t key,
                       const char *value, bool (*is_sound)(struct tf_text text), const char *form)
{
    struct tf_quote quote;
    if (value[0] == '\0' || is_sound(tf_text_of(value)))
        return;
    tf_report(load, TF_ERROR, origin_of(section, key),
              TF_PARTS(TF_SECTION_PARTS(section), " ", section->info->keys[key].name, " = ",
                       tf_quote_text(&quote, tf_text_of(value)), " is not ", form));
}

static void check_size(struct tf_conf_load *load, const struct tf_section *section)
{
    char fields[TF_TENANTS_MAX];
    struct tf_writer w = tf_writer_of(fields, sizeof fields);
    tf_tenants_put(&w, &load->conf->tenants, "login.microsoftonline.com");
    if (w.full)
        tf_report(load, TF_ERROR, origin_of(section, TF_KEY_TENANTS_allowed),
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " allowed is too long: the header fields of a request may have 4096 bytes; ",
                           "name fewer tenants"));
}

/* What it means is easily overrated. */
static void note_reach(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_tenants *t = &load->conf->tenants;
    bool has_consumer = tf_tenants_restrict(t, "login.live.com");
    tf_report(load, TF_NOTE, origin_of(section, TF_KEY_TENANTS_version),
              TF_PARTS("tenant restrictions ", tf_tenants_name(t),
                       " are put into requests for login.microsoftonline.com, login.microsoft.com",
                       has_consumer ? ", login.windows.net and login.live.com" : " and login.windows.net",
                       ", where the client's TLS ends here or it speaks plain HTTP; ",
                       "healthy clients pass untouched, and unrestricted"));
    if (load->conf->policy.monitor)
        tf_report(load, TF_WARNING, origin_of(section, TF_KEY_TENANTS_version),
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " restricts sessions that are upgraded, and while [floor] mode = monitor ",
                           "only rules with action = upgrade do that"));
}

void tf_check_tenants(struct tf_conf_load *load)
{
    const struct tf_section *section = tf_section_plain(load->conf, TF_SECTION_TENANTS);
    const struct tf_tenants *t = &load->conf->tenants;
    if (section->settings[TF_KEY_TENANTS_version].is_bad)
        return;
    check_keys(load, section);
    switch (t->version) {
    case TF_TENANTS_OFF:
        return;
    case TF_TENANTS_V1:
        if (t->allowed[0] != '\0')
            check_allowed(load, section);
        check_form(load, section, TF_KEY_TENANTS_context, t->context, tf_tenants_is_id,
                   "a directory ID; write the one GUID of your own tenant");
        check_size(load, section);
        break;
    case TF_TENANTS_V2:
        check_form(load, section, TF_KEY_TENANTS_policy, t->policy, tf_tenants_is_policy,
                   "two GUIDs; write TENANT-ID:POLICY-ID");
        break;
    }
    note_reach(load, section);
}
