/* Typed settings from sections, keys and values.
 *
 * Pure: the loader (`proxy/conf_load.c`) reads files and the environment and
 * feeds them one value at a time; this file knows every key, its type,
 * bounds and default (`conf.def`), and words the errors. All lists and texts
 * live in the arena. */
#ifndef TF_CONF_H
#define TF_CONF_H

#include "access.h"
#include "arena.h"
#include "mail.h"
#include "pac.h"
#include "tenants.h"

enum tf_kind { TF_KIND_CONNECT, TF_KIND_SNI, TF_KIND_FORWARD, TF_KIND_SOCKS5, TF_KIND_TRANSPARENT };
enum tf_intercept { TF_INTERCEPT_REDIRECT, TF_INTERCEPT_TPROXY };
enum tf_protocol {
    TF_PROTOCOL_TLS,
    TF_PROTOCOL_HTTP,
    TF_PROTOCOL_SMTP, /* from here on: mail */
    TF_PROTOCOL_IMAP,
    TF_PROTOCOL_POP3
};

/* A [listener NAME]. */
struct tf_listener {
    const char *name;
    unsigned line;
    const struct tf_addr *addresses; /* family TF_FAMILY_NONE: every address of this machine, v4 and v6 */
    size_t address_count;
    enum tf_kind kind;
    uint16_t port;                 /* sni: dialled on */
    enum tf_intercept intercept;   /* transparent */
    enum tf_protocol protocol;     /* forward: what clients speak */
    struct tf_target upstream;     /* forward: who they speak to; otherwise the host is empty */
    enum tf_client_tls client_tls; /* forward */
    bool opportunistic;            /* forward, smtp: a server without STARTTLS will do */
    const char *server_name; /* forward, transparent: must be in the server's certificate; "": the host */
    uint8_t send_proxy;      /* forward: version of the PROXY header; 0: none */
    bool accept_proxy;
    const struct tf_cidr *proxy_sources; /* accept_proxy: who is believed; none: everybody */
    size_t proxy_source_count;
    bool tls;                /* clients speak TLS to the proxy itself */
    const char *certificate; /* file, or "" */
    const char *key;         /* file, or "": it is in the certificate's */
    const char *users;       /* file, or "": nobody logs in */
    bool bridge;             /* mail: logins are ours, and the server gets OAuth */
    const char *oauth;       /* bridge: file */
    struct tf_listener *next;
};

/* One `resolve` line: connections to host:port go to `to` instead. */
struct tf_override {
    const char *host;  /* lower case; "*" is any, as in curl's --connect-to with an empty host */
    uint16_t port;     /* 0: any */
    struct tf_addr to; /* port 0: the port asked for */
    struct tf_override *next;
};

/* [limits]: milliseconds and bytes. Each has its row, with bounds and default, in conf.def. */
struct tf_limits {
    uint32_t hello_ms, request_ms, dial_ms, handshake_ms, overhear_ms, mail_ms, login_ms, idle_ms,
        half_closed_ms, linger_ms, grace_ms, drain_ms, handover_ms;
    uint32_t hello_bytes, head_bytes, line_bytes;
    uint64_t lookahead_bytes; /* all hellos and request heads being gathered, of one loop */
    uint32_t connections;     /* 0: as many as open files allow */
    uint32_t per_source;      /* 0: no limit */
    uint32_t per_user;        /* 0: no limit */
    uint32_t logins;          /* remembered, of one loop */
    uint32_t log_bytes;       /* queue in front of the log thread */
    uint32_t rollups;         /* of one loop */
    uint32_t inventory_clients, inventory_destinations, inventory_queue, acquaintances; /* of all loops */
    uint32_t dns_entries, dns_ttl_max_ms, dns_negative_ms, dns_ms;
    uint32_t pipes;             /* of one loop's splice pool */
    uint32_t leaves;            /* minted certificates, of one loop */
    uint32_t upstream_sessions; /* sessions with servers to resume, of one loop */
    uint32_t client_sessions;   /* session IDs that clients may resume, of all loops */
};

enum tf_log_format { TF_LOG_ECS, TF_LOG_W3C };
enum tf_instance { TF_WORLDWIDE, TF_GCC, TF_GCC_HIGH, TF_DOD, TF_CHINA };
enum tf_digest_name { TF_SHA256, TF_SHA1 };

struct tf_conf {
    struct tf_policy policy;
    struct tf_access access;
    struct tf_listener *listeners;
    struct tf_override *overrides;
    struct tf_limits limits;
    struct {
        enum tf_instance instance;
        const char *endpoints; /* file, or "builtin" */
        const char *overlay;   /* file, or "" */
    } m365;
    struct {
        uint16_t minimum;        /* TF_TLS12 or TF_TLS13 */
        const char *ca_file;     /* file, or "system" */
        const char *certificate; /* file, or "": none is shown to servers */
        const char *key;         /* file, or "": it is in the certificate's */
    } upstream;
    struct {
        struct tf_target proxy; /* host empty: there is none */
        const char *user;       /* "": it wants no login */
        const char *password_file;
        const struct tf_destination *bypass; /* these are connected directly */
        size_t bypass_count;
    } parent;
    struct {
        const char *directory; /* or "off" */
        uint32_t leaf_days;
        enum tf_digest_name digest;
        bool must_be_there; /* none is made, and nothing runs without it */
        bool lenient;       /* the name constraints are not critical */
    } ca;
    struct {
        const char *block;  /* file, "-", "off", or "syslog:..." */
        const char *access; /* the same */
        enum tf_log_format format;
        uint32_t whole;     /* refusals of one kind that have a line each, in every rollup_ms */
        uint32_t rollup_ms; /* 0: all of them */
    } log;
    struct {
        const char *file; /* or "memory", or "off" */
        uint32_t forget_days, fallback_ms;
    } inventory;
    struct tf_pac pac;
    struct tf_tenants tenants;
    const char *const *admin_hosts; /* patterns of names that the admin socket answers to */
    size_t admin_host_count;
    struct tf_addr admin; /* family and port 0: off */
    bool admin_on;
    bool open_proxy; /* [access] open_proxy: told to serve the world */
    const char
        *dns_servers; /* [dns] servers: "" is the system's; else a list for ares_set_servers_ports_csv */
    const char *name; /* [gateway] name; "": the machine's */
    const char *ticket_keys_file; /* "": own keys */
    uint32_t threads;             /* [gateway] threads: loops; 0: one a core */
    const char *option;           /* ` -c FILE`, which commands in hints need; NULL: they do not */
    struct tf_section *sections;  /* every setting as it was written; see below */
};

/* Where the setting of a section without a name came from, as that of "log" and "block". There must be such a
 * key. */
const struct tf_origin *tf_conf_origin(const struct tf_conf *conf, const char *section, const char *key);
/* Where a key of one of conf's listeners was written; at its default, where the listener begins. */
const struct tf_origin *tf_conf_listener_origin(const struct tf_conf *conf,
                                                const struct tf_listener *listener, const char *key);
/* Whether a section without a name says anything but its defaults. */
bool tf_conf_is_written(const struct tf_conf *conf, const char *section);
/* Where one of conf's rules begins. */
const struct tf_origin *tf_conf_rule_origin(const struct tf_conf *conf, const struct tf_rule *rule);
/* The first override for a target, or NULL. */
const struct tf_override *tf_conf_override(const struct tf_conf *conf, const struct tf_target *target);

enum tf_source { TF_FROM_DEFAULT, TF_FROM_FILE, TF_FROM_ENVIRONMENT, TF_FROM_OPTION };

/* Where a value comes from. */
struct tf_origin {
    enum tf_source source;
    const char *name; /* of the file or the variable; the option, as `--kind` */
    unsigned line;    /* of the file; 0: the file as a whole */
};

/* `FILE:LINE`, `FILE`, `environment VARIABLE`, `--OPTION` or `default`. */
void tf_put_origin(struct tf_writer *w, const struct tf_origin *origin);

enum tf_severity {
    TF_ERROR,   /* the settings cannot be used */
    TF_WARNING, /* they can, but hardly as they were meant */
    TF_NOTE     /* something to keep in mind */
};

/* A load in progress. Zero it, set the upper part, call tf_conf_begin, then feed: files first, then the
 * environment, then what a command line says, then tf_conf_finish. What is wrong is reported and left out, so
 * that one load finds all of it.
 * Names in origins, and of variables, must live as long as the arena. */
struct tf_conf_load {
    struct tf_conf *conf;
    struct tf_arena *arena;
    int32_t today;          /* days since 1970-01-01 UTC */
    struct tf_origin whole; /* the file: where to report what no single line is to blame for */
    /* `sentence` says what is wrong and what to write; it is valid during the call only. */
    void (*report)(void *arg, enum tf_severity severity, const struct tf_origin *at, const char *sentence);
    void *arg;
    unsigned errors; /* reported so far */
    /* private */
    struct tf_section *section; /* being filled; NULL after a bad header: its keys are passed over */
    struct tf_section **sections_end;
    bool in_section; /* a header has been seen, good or bad */
};

/* The longest value of one key, and the longest name of a listener or rule. */
#define TF_CONF_VALUE_MAX 8192
#define TF_CONF_NAME_MAX  32

/* Sets every default. */
void tf_conf_begin(struct tf_conf_load *load);
/* `floor`, `listener proxy`: what stands between the brackets. */
void tf_conf_section(struct tf_conf_load *load, const char *header, struct tf_origin at);
/* A header that cannot be read: keys up to the next one are passed over. */
void tf_conf_skip(struct tf_conf_load *load);
/* Reports and counts what the feeder itself found wrong. */
void tf_conf_fail(struct tf_conf_load *load, const struct tf_origin *at, const char *sentence);
/* A key of the section that is open. */
void tf_conf_set(struct tf_conf_load *load, const char *key, const char *value, struct tf_origin at);
/* TLSFLOOR_SECTION_KEY or TLSFLOOR_SECTION_NAME_KEY; overrides what the file says. Other variables are
 * ignored. */
void tf_conf_environment(struct tf_conf_load *load, const char *variable, const char *value);
/* What only the whole can show. True: no error in all of the load, and load->conf is complete. */
bool tf_conf_finish(struct tf_conf_load *load);

/* One key of one section as it was written, for `check --dump`. */
struct tf_setting {
    const char *text; /* NULL: a required key that was not written */
    bool is_bad;      /* it could not be read, which has been reported; the field is not to be trusted */
    struct tf_origin origin;
    struct tf_setting *next; /* of a key that may be repeated */
};

struct tf_section {
    const struct tf_section_info *info; /* conf_table.h */
    const char *name;                   /* of a listener or rule, else "" */
    struct tf_origin origin;
    struct tf_setting *settings; /* one a key, in the order of conf.def */
    void *object;                /* what the keys fill: the tf_conf, a tf_listener or a tf_rule */
    struct tf_section *next;
};

/* The settings as INI, each with a comment that says where it came from; a file that loads to the same
 * settings. */
void tf_put_conf(struct tf_writer *w, const struct tf_conf *conf);
/* The reference of all sections and keys, as Markdown tables. */
void tf_put_conf_reference(struct tf_writer *w);
/* The same in mdoc(7), a subsection for each section: the middle of tlsfloor.ini(5). */
void tf_put_conf_manual(struct tf_writer *w);

#endif
