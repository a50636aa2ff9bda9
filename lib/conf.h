/* Typed settings from sections, keys and values.
 *
 * Pure: the loader (`proxy/conf_load.c`) reads files and the environment and
 * feeds tf_conf_set one value at a time; this file knows every key, its type,
 * bounds and default (`conf.def`), and words the errors. All lists and texts
 * live in the arena. */
#ifndef TF_CONF_H
#define TF_CONF_H

#include "access.h"
#include "arena.h"

enum tf_kind { TF_KIND_CONNECT, TF_KIND_SNI };

/* A [listener NAME]. */
struct tf_listener {
    const char *name;
    unsigned line;
    const struct tf_addr *addresses; /* family TF_FAMILY_NONE: every address of this machine, v4 and v6 */
    size_t address_count;
    enum tf_kind kind;
    uint16_t port; /* sni: dialled on */
    struct tf_listener *next;
};

/* One `resolve` line: connections to host:port go to `to` instead. */
struct tf_override {
    const char *host; /* lower case; "*" is any, as in curl's --connect-to with an empty host */
    uint16_t port;    /* 0: any */
    struct tf_addr to; /* port 0: the port asked for */
    struct tf_override *next;
};

/* [limits]: milliseconds and bytes. Each has its row, with bounds and default, in conf.def. */
struct tf_limits {
    uint32_t hello_ms, request_ms, dial_ms, idle_ms, half_closed_ms, linger_ms, drain_ms;
    uint32_t hello_bytes, head_bytes;
    uint64_t lookahead_bytes; /* all hellos and request heads being gathered, of one loop */
    uint32_t connections;     /* 0: as many as open files allow */
    uint32_t log_bytes;       /* queue in front of the log thread */
    uint32_t dns_entries, dns_ttl_max_ms, dns_negative_ms, dns_ms;
    uint32_t pipes; /* of one loop's splice pool */
};

struct tf_conf {
    struct tf_policy policy;
    struct tf_access access;
    struct tf_listener *listeners;
    struct tf_override *overrides;
    struct tf_limits limits;
    struct {
        const char *block;  /* file, "-", or "off" */
        const char *access; /* the same */
    } log;
    struct tf_addr admin; /* family and port 0: off */
    bool admin_on;
    bool open_proxy;      /* [access] open_proxy: told to serve the world */
    const char *dns_servers; /* [dns] servers: "" is the system's; else a list for ares_set_servers_ports_csv */
    uint32_t threads;     /* [gateway] threads: loops; 0: one a core */
};

/* Where a value comes from, for errors and `--dump`. */
struct tf_origin {
    const char *file; /* or "environment" */
    unsigned line;    /* 0: no line */
};

/* A load in progress. Zero it, set conf and arena, call tf_conf_begin, then section and set for each line. */
struct tf_conf_load {
    struct tf_conf *conf;
    struct tf_arena *arena;
    struct tf_writer *error; /* the sentence for a call that answered false; NUL-terminated by the callee */
    void *section;           /* private: the listener, rule or plain section being filled, and what was seen */
};

#endif
