/* The Microsoft 365 endpoint set: which names, on which ports, are part of
 * the service, and how the service itself ranks them. Plain data that the
 * loader (proxy/endpoints.c) makes; nothing here allocates. */
#ifndef TF_M365_H
#define TF_M365_H

#include "addr.h"

/* `serviceArea` of the web service. */
enum tf_m365_area {
    TF_M365_COMMON,
    TF_M365_EXCHANGE,
    TF_M365_SHAREPOINT,
    TF_M365_SKYPE, /* Teams */
    TF_M365_MEM,   /* Intune */
    TF_M365_OTHER  /* an area that this version does not know */
};
enum { TF_M365_AREAS = TF_M365_OTHER + 1 };

/* `category`, the best first: where several sets have the same name and port, the best counts. */
enum tf_m365_category { TF_M365_OPTIMIZE, TF_M365_ALLOW, TF_M365_DEFAULT };
enum { TF_M365_CATEGORIES = TF_M365_DEFAULT + 1 };

struct tf_port_range {
    uint16_t first, last;
};

/* One set of the web service's answer. */
struct tf_m365_set {
    uint32_t id;
    enum tf_m365_area area;
    enum tf_m365_category category;
    bool required;
    bool stays_plain;                  /* certificate revocation: plain HTTP to it must stay plain HTTP */
    const struct tf_port_range *ports; /* tcpPorts; a set without any matches nothing */
    size_t port_count;
    const char *const *names; /* patterns, lower case, see tf_m365_name_matches */
    size_t name_count;
    const struct tf_cidr *blocks;
    size_t block_count;
    const char *notes; /* "" where there are none */
};

/* A pattern in the index. */
struct tf_m365_entry {
    const char *pattern;
    const struct tf_m365_set *set;
};

struct tf_m365 {
    const char *origin;             /* `builtin (Worldwide)`, or the file; and the overlay */
    const struct tf_m365_set *sets; /* in the order of the file */
    size_t set_count;
    /* The index, for tf_m365_find: plain names and `*.suffix` by tf_m365_order, then the other forms. */
    const struct tf_m365_entry *entries;
    size_t ordered_count, entry_count;
};

/* What `@m365`, `@m365:AREA` and `@m365:CATEGORY` of a rule stand for. */
struct tf_m365_filter {
    bool by_area, by_category;
    enum tf_m365_area area;
    enum tf_m365_category category;
};

/* Reads what stands behind `@`: `m365`, `m365:Exchange`, `m365:optimize`; any case. False: neither. */
bool tf_m365_filter_parse(const char *text, size_t n, struct tf_m365_filter *filter);

/* `name`; `*.suffix`, any name below the suffix; `*suffix` with a dot in it, any name that ends so; `a.*.b`,
 * where the star is one label without dots. Any other form matches nothing. Without regard to case or a final
 * dot of host. */
bool tf_m365_name_matches(const char *pattern, const char *host, size_t host_len);
/* The first of n patterns that host matches; NULL: none. */
const char *tf_m365_names_match(const char *const *patterns, size_t n, const char *host);
/* Whether a pattern has one of these forms, and is lower case. */
bool tf_m365_is_pattern(const char *pattern, size_t n);

/* The set that a name and port belong to, NULL if there is none. A category is compared with the best of all
 * sets that match; an area with any of them, and the best of that area is the answer. Among equals it is one
 * that stays plain, then the first of the file. filter may be NULL. */
const struct tf_m365_set *tf_m365_find(const struct tf_m365 *m365, const char *host, uint16_t port,
                                       const struct tf_m365_filter *filter);
/* The same by the blocks of the sets, for an address whose name is not known; its own port does not count. */
const struct tf_m365_set *tf_m365_find_address(const struct tf_m365 *m365, const struct tf_addr *address,
                                               uint16_t port, const struct tf_m365_filter *filter);
/* The first block of a set that has an address, or NULL. */
const struct tf_cidr *tf_m365_block(const struct tf_m365_set *set, const struct tf_addr *address);
/* Order of the index: compares entries for qsort. */
int tf_m365_order(const void *a, const void *b);
/* Whether a pattern stands in the ordered part of the index. */
bool tf_m365_is_ordered(const char *pattern);
/* Whether one of n ranges has a port. */
bool tf_ports_have(const struct tf_port_range *ranges, size_t n, uint16_t port);

const char *tf_m365_area_name(enum tf_m365_area area);             /* `Exchange` */
const char *tf_m365_category_name(enum tf_m365_category category); /* `Optimize` */
/* By the web service's spelling, any case; Teams and Intune are taken for Skype and MEM. */
bool tf_m365_area_parse(const char *text, size_t n, enum tf_m365_area *area);
bool tf_m365_category_parse(const char *text, size_t n, enum tf_m365_category *category);

#endif
