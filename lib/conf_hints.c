/* What is written by mistake where a value belongs, and what is likely meant.
 * Nothing here decides whether a value is good: conf_values.c and
 * conf_lists.c ask when they could not read one. */
#include "conf_value.h"
#include "suggest.h"

#include <string.h>

/* Words that other programs take. */
static const struct {
    enum tf_value_type type;
    const char *key; /* NULL: any of that type */
    const char *words, *advice;
} mistakes[] = {
    {TF_TYPE_PORTS, NULL, "any|all|*", "for every port, write 1-65535"},
    {TF_TYPE_CIDRS, NULL, "any|all|*", "for everybody: 0.0.0.0/0, ::/0"},
    {TF_TYPE_ADDRESS_SET, "source", "any|all|*", "for everybody: 0.0.0.0/0, ::/0"},
    {TF_TYPE_ADDRESS_SET, "destination", "any|all|*", "for servers anywhere: public, private"},
    {TF_TYPE_CHOICE, "action", "allow|accept|pass|permit",
     "tunnel keeps the floor; monitor lets everything pass"},
    {TF_TYPE_CHOICE, "action", "deny|drop|reject|refuse", "write block"},
    {TF_TYPE_CHOICE, "action", "bump|decrypt|intercept|terminate", "write upgrade"},
    {TF_TYPE_CHOICE, "kind", "http|proxy|explicit", "write connect"},
    {TF_TYPE_CHOICE, "kind", "socks|socks4|socks4a|socks5h", "write socks5; SOCKS version 4 is not served"},
    {TF_TYPE_CHOICE, "kind", "tproxy|redirect|intercept|redir", "write transparent; intercept says how"},
    {TF_TYPE_CHOICE, "kind", "tcp|reverse|tunnel|relay|server", "write forward"},
    {TF_TYPE_CHOICE, "kind", "smtp|imap|pop3|mail", "write forward, and protocol = in a line of its own"},
    {TF_TYPE_CHOICE, "protocol", "https|ssl|tcp", "write tls; HTTPS is TLS"},
    {TF_TYPE_CHOICE, "protocol", "smtps|submission|submissions",
     "write smtp; with port 465 in upstream it is TLS at once"},
    {TF_TYPE_CHOICE, "protocol", "imaps|imap4", "write imap; with port 993 in upstream it is TLS at once"},
    {TF_TYPE_CHOICE, "protocol", "pop|pops|pop3s", "write pop3; with port 995 in upstream it is TLS at once"},
    {TF_TYPE_CHOICE, "client_tls", "on|yes|true|tls|ssl|smtps|wrapper", "for TLS at once, write implicit"},
    {TF_TYPE_CHOICE, "client_tls", "off|no|false|plain", "write none"},
    {TF_TYPE_CHOICE, "client_tls", "required|require|force|forced|mandatory|encrypt", "write starttls"},
    {TF_TYPE_CHOICE, "client_tls", "may|offer|opportunistic", "write optional"},
    {TF_TYPE_CHOICE, "server_tls", "off|no|none|plain|optional|may",
     "forced is the safe one; opportunistic takes plain text where the server has no STARTTLS"},
    {TF_TYPE_CHOICE, "server_tls", "on|required|require|encrypt|verify|secure", "write forced"},
    {TF_TYPE_CHOICE, "send_proxy", "on|yes|true|1|2", "write v1 or v2"},
    {TF_TYPE_CHOICE, "bridge", "on|yes|true|oauth|oauth2", "write xoauth2"},
};

/* NULL: this is none of them. */
static const char *find_advice(const struct tf_key *key, struct tf_text word)
{
    size_t place;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++)
        if (mistakes[i].type == key->type && (!mistakes[i].key || strcmp(mistakes[i].key, key->name) == 0) &&
            tf_words_have(mistakes[i].words, word, &place))
            return mistakes[i].advice;
    return NULL;
}

/* `why` is about the item in a list, and about the whole value elsewhere. */
bool tf_value_wrong_word(const struct tf_value *v, struct tf_text item, const char *why)
{
    bool is_list = tf_key_is_list(v->key);
    const char *advice = find_advice(v->key, item);
    struct tf_quote quote;

    if (!advice)
        return is_list ? tf_value_wrong_item(v, item, why) : tf_value_wrong(v, why);
    const char *subject = is_list ? tf_quote_text(&quote, item) : "";
    return tf_value_refuse(v, TF_PARTS(subject, is_list ? " " : "", why, "; ", advice));
}

/* The part behind the last colon, if there is one; *host is what stands before it. */
static bool split_port(struct tf_text item, struct tf_text *host, struct tf_text *port)
{
    size_t n = item.n;
    while (n > 0 && item.p[n - 1] != ':')
        n--;
    if (n == 0)
        return false;
    *host = (struct tf_text){item.p, n - 1};
    *port = (struct tf_text){item.p + n, item.n - n};
    return true;
}

static bool is_port(struct tf_text text)
{
    uint64_t number;
    return tf_text_number(text, 65535, &number) && number > 0;
}

static bool is_digits(struct tf_text text)
{
    uint64_t number;
    return tf_text_number(text, UINT64_MAX, &number);
}

/* A name that has to be looked up: listeners have addresses. */
static bool is_name(struct tf_text text)
{
    struct tf_target target;
    return tf_host_parse(text.p, text.n, &target) == TF_HOST_OK && !target.is_address;
}

/* `HOST:NUMBER`, which is no address and port. */
static bool wrong_pair(const struct tf_value *v, struct tf_text item, struct tf_text host,
                       struct tf_text port)
{
    struct tf_quote host_quote, port_quote;
    const char *host_text = tf_quote_text(&host_quote, host);
    const char *port_text = tf_quote_text(&port_quote, port);

    if (!is_port(port))
        return tf_value_refuse(v, TF_PARTS(port_text, " is no port (1 to 65535)"));
    if (!is_name(host))
        return tf_value_wrong_item(v, item, "is no address and port");
    const char *address = tf_text_is(host, "localhost") ? "127.0.0.1" : "such as 10.0.0.5";
    return tf_value_refuse(v,
                           TF_PARTS(host_text, " is a name; write its address, ", address, ":", port_text));
}

bool tf_value_wrong_listen(const struct tf_value *v, struct tf_text item)
{
    struct tf_quote item_quote, host_quote, port_quote;
    struct tf_text host, port;
    struct tf_target target;
    struct tf_addr addr;

    const char *text = tf_quote_text(&item_quote, item);
    if (is_port(item))
        return tf_value_refuse(v, TF_PARTS("a port alone is not enough; write 127.0.0.1:", text,
                                           ", or *:", text, " for every address"));
    if (is_digits(item))
        return tf_value_refuse(v, TF_PARTS(text, " is no port (1 to 65535)"));
    bool has_port = split_port(item, &host, &port) && is_digits(port);
    /* ::1:3128 is an address as well, but hardly meant as one. */
    if (has_port && is_port(port) && tf_addr_parse(host.p, host.n, &addr))
        return tf_value_refuse(v, TF_PARTS("an IPv6 address needs brackets in front of a port; write [",
                                           tf_quote_text(&host_quote, host),
                                           "]:", tf_quote_text(&port_quote, port)));
    if (tf_host_parse(item.p, item.n, &target) == TF_HOST_OK && target.is_address) {
        bool is_v6 = target.addr.family == TF_FAMILY_V6;
        return tf_value_refuse(v, TF_PARTS(text, " has no port; write ", is_v6 ? "[" : "", target.host,
                                           is_v6 ? "]" : "", ":PORT"));
    }
    return has_port ? wrong_pair(v, item, host, port)
                    : tf_value_wrong_item(v, item, "is no address and port");
}

/* Sets begin with an @. */
bool tf_value_has_login(struct tf_text text)
{
    return text.n > 0 && memchr(text.p + 1, '@', text.n - 1);
}

/* Passwords are not repeated. */
static const char *quote_item(struct tf_quote *quote, struct tf_text item)
{
    return tf_value_has_login(item) ? "what is written there" : tf_quote_text(quote, item);
}

/* Clears the bits behind the prefix length. */
static void cut_to_prefix(struct tf_cidr *block)
{
    for (unsigned i = 0; i < sizeof block->base.ip; i++) {
        unsigned kept = block->bits > 8 * i ? block->bits - 8 * i : 0;
        if (kept < 8)
            block->base.ip[i] &= (uint8_t)(0xff00u >> kept);
    }
}

bool tf_value_wrong_block(const struct tf_value *v, struct tf_text item)
{
    struct tf_text length = item;
    struct tf_text base = tf_text_take(&length, '/');
    struct tf_quote item_quote, base_quote;
    struct tf_cidr block = {.bits = 0};
    uint64_t bits;

    const char *text = quote_item(&item_quote, item);
    if (!tf_addr_parse(base.p, base.n, &block.base)) {
        if (find_advice(v->key, item))
            return tf_value_wrong_word(v, item, "is no block");
        return tf_value_refuse(v, TF_PARTS(text, " is neither an IP address nor a block such as 10.0.0.0/8"));
    }
    bool is_v4 = block.base.family == TF_FAMILY_V4;
    if (!tf_text_number(length, is_v4 ? 32 : 128, &bits))
        return tf_value_refuse(
            v, TF_PARTS("the prefix length of ", text, " is not 0 to ", is_v4 ? "32" : "128"));
    char cut[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(cut, sizeof cut - 1);
    block.bits = (uint8_t)bits;
    cut_to_prefix(&block);
    tf_put_addr(&w, &block.base);
    tf_put_char(&w, '/');
    tf_put_u64(&w, bits);
    cut[w.len] = '\0';
    return tf_value_refuse(v, TF_PARTS(text, " has bits set behind the prefix length; write ", cut, ", or ",
                                       tf_quote_text(&base_quote, base)));
}

/* Every class, as a part. */
static const char *classes_text(char *text, size_t size)
{
    struct tf_writer w = tf_writer_of(text, size - 1);
    for (enum tf_class c = TF_CLASS_PUBLIC; c <= TF_CLASS_RESERVED; c++)
        tf_put_parts(&w, TF_PARTS(c == TF_CLASS_PUBLIC ? "" : ", ", tf_class_name(c)));
    text[w.len] = '\0';
    return text;
}

bool tf_value_wrong_class(const struct tf_value *v, struct tf_text item)
{
    struct tf_suggestion near = {.unknown = item};
    struct tf_quote quote;
    char classes[200];

    if (find_advice(v->key, item))
        return tf_value_wrong_word(v, item, "is no class");
    if (tf_ascii_is_digit(item.p[0]) || memchr(item.p, ':', item.n))
        return tf_value_wrong_block(v, item);
    for (enum tf_class c = TF_CLASS_PUBLIC; c <= TF_CLASS_RESERVED; c++)
        tf_suggest(&near, tf_class_name(c));
    if (near.best)
        return tf_value_refuse(v, TF_PARTS(tf_quote_text(&quote, item), " is no class, address or block",
                                           TF_DID_YOU_MEAN(near)));
    return tf_value_refuse(v, TF_PARTS(tf_quote_text(&quote, item),
                                       " is no class, address or block; the classes are ",
                                       classes_text(classes, sizeof classes)));
}

/* The host of a URL, or of a name with a login in front or a path behind it, and its port, 0 where there is
 * none. False: this is neither. */
static bool host_of_url(struct tf_text item, struct tf_target *host)
{
    struct tf_text rest = item;
    for (size_t i = 0; i + 3 <= item.n; i++)
        if (memcmp(item.p + i, "://", 3) == 0)
            rest = (struct tf_text){item.p + i + 3, item.n - i - 3};
    struct tf_text path = rest;
    struct tf_text authority = tf_text_take(&path, '/'), left = authority;
    while (left.p)
        authority = tf_text_take(&left, '@');
    *host = (struct tf_target){.port = 0};
    return (authority.p != item.p || path.p) &&
           (tf_host_parse(authority.p, authority.n, host) == TF_HOST_OK ||
            tf_authority_parse(authority.p, authority.n, 0, host) == TF_HOST_OK);
}

static bool wrong_url(const struct tf_value *v, struct tf_text item, const struct tf_target *host)
{
    struct tf_quote quote;
    return tf_value_refuse(
        v, TF_PARTS(quote_item(&quote, item), " is more than a name; write the name alone: ", host->host));
}

/* Where HOST:PORT belongs. */
static bool wrong_authority(const struct tf_value *v, struct tf_text item, const struct tf_target *host)
{
    char text[TF_AUTHORITY_MAX + 1];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    bool is_proxy = strcmp(v->key->name, "proxy") == 0;
    tf_put_authority(&w, host, 0);
    text[w.len] = '\0';
    return tf_value_refuse(
        v, TF_PARTS("this is more than a host and a port; write ", text,
                    is_proxy && host->port == 0 ? ":PORT" : "",
                    is_proxy && tf_value_has_login(item)
                        ? "; the user goes into proxy_user, and the password into proxy_password_file's file"
                        : ""));
}

bool tf_value_wrong_host(const struct tf_value *v, struct tf_text item, enum tf_host_error error)
{
    bool is_list = tf_key_is_list(v->key);
    struct tf_quote quote;
    struct tf_values values;
    struct tf_target host;
    if (v->key->type == TF_TYPE_AUTHORITY && host_of_url(item, &host))
        return wrong_authority(v, item, &host);
    return tf_value_refuse(v,
                           TF_PARTS(is_list ? quote_item(&quote, item) : "", is_list ? ": " : "",
                                    tf_host_error_text(error), "; write ", tf_values_text(&values, v->key)));
}

bool tf_value_wrong_set(const struct tf_value *v, struct tf_text item)
{
    static const char *const sets[] = {"@m365",        "@m365:Common", "@m365:Exchange", "@m365:SharePoint",
                                       "@m365:Teams",  "@m365:Intune", "@m365:optimize", "@m365:allow",
                                       "@m365:default"};
    struct tf_suggestion near = {.unknown = item};
    struct tf_quote quote;

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        tf_suggest(&near, sets[i]);
    const char *text = tf_quote_text(&quote, item);
    if (near.best)
        return tf_value_refuse(v, TF_PARTS(text, " is no set", TF_DID_YOU_MEAN(near)));
    return tf_value_refuse(
        v, TF_PARTS(text, " is no set; write @m365, or @m365: with Common, Exchange, SharePoint, "
                          "Teams, Intune, optimize, allow or default behind it"));
}

bool tf_value_wrong_pattern(const struct tf_value *v, struct tf_text item)
{
    struct tf_target target;
    if (host_of_url(item, &target))
        return wrong_url(v, item, &target);
    return tf_value_wrong_item(v, item, "is no name or pattern of names");
}

bool tf_value_wrong_destination(const struct tf_value *v, struct tf_text item, enum tf_host_error error)
{
    struct tf_quote item_quote, host_quote, port_quote;
    struct tf_target target;
    struct tf_text host, port;

    const char *text = quote_item(&item_quote, item);
    if (host_of_url(item, &target))
        return wrong_url(v, item, &target);
    if (split_port(item, &host, &port) && is_port(port) && host.n > 0 && !memchr(host.p, ':', host.n))
        return tf_value_refuse(v, TF_PARTS(text, " has a port; the port has a key of its own: write ",
                                           tf_quote_text(&host_quote, host),
                                           " here, and port = ", tf_quote_text(&port_quote, port)));
    if (error == TF_HOST_BAD_ADDRESS || memchr(item.p, '/', item.n))
        return tf_value_wrong_block(v, item);
    return tf_value_wrong_host(v, item, error);
}

/* Numbers with a unit, where a number of seconds belongs. */
static const struct {
    const char *words;
    uint32_t ms;
} units[] = {{"ms", 1},
             {"s|sec|second|seconds", 1000},
             {"m|min|minute|minutes", 60000},
             {"h|hour|hours", 3600000},
             {"d|day|days", 86400000}};

bool tf_value_wrong_seconds(const struct tf_value *v)
{
    enum { NUMBER_MAX = 1000000000 };
    struct tf_text digits = {v->text.p, 0};
    uint64_t number;
    size_t place;

    while (digits.n < v->text.n && tf_ascii_is_digit(digits.p[digits.n]))
        digits.n++;
    struct tf_text unit = tf_text_trim((struct tf_text){v->text.p + digits.n, v->text.n - digits.n});
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!tf_words_have(units[i].words, unit, &place) || !tf_text_number(digits, NUMBER_MAX, &number))
            continue;
        char seconds[32];
        struct tf_writer w = tf_writer_of(seconds, sizeof seconds - 1);
        tf_put_seconds(&w, number * units[i].ms);
        seconds[w.len] = '\0';
        return tf_value_refuse(v, TF_PARTS("seconds have no unit here; write ", seconds));
    }
    return tf_value_wrong(v, "not a number of seconds with up to three decimals");
}
