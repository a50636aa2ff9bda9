/* Recognising a client by what it says of itself. That may be a lie: what to
 * believe is client.c's business. */
#include "client_agent.h"

#include "text.h"
#include <string.h>

/* Versions as numbers that can be compared; each part is cut to 9999. */
#define VERSION(major, minor, patch) ((major)*UINT64_C(100000000) + (minor)*UINT64_C(10000) + (patch))

static const struct agent {
    enum tf_client_family family;
    const char *needs, *lacks, *product;
    uint64_t low, high;
    const char *perhaps;
} agents[] = {
#define AGENT(family, needs, lacks, product, low, high, name)                                                \
    {TF_CLIENT_FAMILY_##family, needs, lacks, product, low, high, TF_CLIENT_PERHAPS name},
#define GREETING(prefix, digits, name)
#include "client_agents.def"
#undef AGENT
#undef GREETING
};

static const struct greeting {
    const char *prefix;
    size_t digits;
    const char *perhaps;
} greetings[] = {
#define AGENT(family, needs, lacks, product, low, high, name)
#define GREETING(prefix, digits, name) {prefix, digits, TF_CLIENT_PERHAPS name},
#include "client_agents.def"
#undef AGENT
#undef GREETING
};

static const struct tf_client_clue nothing = {TF_CLIENT_FAMILY_UNKNOWN, TF_CLIENT_NOT_KNOWN, ""};

static bool contains(const char *text, struct tf_text wanted)
{
    for (; *text != '\0'; text++)
        if (strncmp(text, wanted.p, wanted.n) == 0)
            return true;
    return false;
}

/* How many of the texts of a list are in another text. */
static size_t count_found(const char *text, const char *list, size_t *of)
{
    struct tf_text rest = tf_text_of(list);
    size_t found = 0;
    *of = 0;
    while (rest.n > 0) {
        struct tf_text wanted = tf_text_take(&rest, '|');
        found += contains(text, wanted);
        ++*of;
    }
    return found;
}

static bool has_all(const char *text, const char *list)
{
    size_t of;
    return count_found(text, list, &of) == of;
}

static bool has_any(const char *text, const char *list)
{
    size_t of;
    return count_found(text, list, &of) > 0;
}

static uint64_t read_part(const char **p)
{
    enum { PART_MAX = 9999 };
    uint64_t v = 0;
    for (; tf_ascii_is_digit(**p); ++*p)
        v = v < PART_MAX ? v * 10 + (uint64_t)(**p - '0') : PART_MAX;
    return v < PART_MAX ? v : PART_MAX;
}

/* `6.0.4`, `10`, `1.6.0_45`: up to three numbers with dots between them. */
static bool read_version(const char *p, uint64_t *out)
{
    uint64_t part[3] = {0};
    if (!tf_ascii_is_digit(*p))
        return false;
    for (size_t i = 0; i < 3; i++) {
        part[i] = read_part(&p);
        if (p[0] != '.' || !tf_ascii_is_digit(p[1]))
            break;
        p++;
    }
    *out = VERSION(part[0], part[1], part[2]);
    return true;
}

static bool is_agent(const struct agent *a, const char *user_agent)
{
    uint64_t version;
    const char *product = strstr(user_agent, a->product);
    return product != NULL && read_version(product + strlen(a->product), &version) && version >= a->low &&
           version <= a->high && has_all(user_agent, a->needs) && !has_any(user_agent, a->lacks);
}

struct tf_client_clue tf_client_agent_find(const char *user_agent)
{
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++)
        if (is_agent(&agents[i], user_agent))
            return (struct tf_client_clue){agents[i].family, TF_CLIENT_LIKELY, agents[i].perhaps};
    return nothing;
}

/* The digits are followed by the end of the name, or by a domain. */
static bool is_greeting(const struct greeting *g, struct tf_text name)
{
    if (!tf_text_begins(name, g->prefix))
        return false;
    size_t begin = strlen(g->prefix);
    size_t at = begin;
    while (at < name.n && tf_ascii_hex(name.p[at]) < 16)
        at++;
    return at - begin == g->digits && (at == name.n || name.p[at] == '.');
}

/* That it is a device is all that its name says; what is in it, the hello has to say. */
struct tf_client_clue tf_client_greeting_find(const char *greeting)
{
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++)
        if (is_greeting(&greetings[i], tf_text_of(greeting)))
            return (struct tf_client_clue){TF_CLIENT_FAMILY_EMBEDDED_OPENSSL, TF_CLIENT_POSSIBLE,
                                           greetings[i].perhaps};
    return nothing;
}

/* Office and .NET put the agent of Internet Explorer before their own names. */
bool tf_client_agent_is_browser(const char *user_agent)
{
    static const char programs[] = "Microsoft Office|Microsoft Outlook|ms-office|MSOffice|"
                                   "MS Web Services Client Protocol|Thunderbird/|bot/|Dalvik/";
    static const char engines[] = "Gecko|AppleWebKit/|Trident/|MSIE |Presto/";
    bool is_named = has_any(user_agent, "Mozilla/|Opera/");
    return is_named && has_any(user_agent, engines) && !has_any(user_agent, programs);
}
