/* Hellos of clients from their lists as people write them: `c014 c00a 35`. What the tests of client*.c have
 * in common. The lists are kept until the next hello is made. */
#ifndef CLIENT_MAKER_H
#define CLIENT_MAKER_H

#include "../../lib/hello.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct list {
    uint8_t p[1024];
    size_t n;
};

static struct list suites_made, extensions_made, groups_made;

/* Numbers of `size` bytes, and behind each `gap` zeros. */
static inline struct tf_span put_list(struct list *list, const char *words, size_t size, size_t gap)
{
    char *end;
    list->n = 0;
    for (unsigned long v = strtoul(words, &end, 16); end != words; v = strtoul(words, &end, 16)) {
        assert_true(list->n + size + gap <= sizeof list->p);
        for (size_t i = size; i-- > 0;)
            list->p[list->n++] = (uint8_t)(v >> 8 * i);
        for (size_t i = 0; i < gap; i++)
            list->p[list->n++] = 0;
        words = end;
    }
    return (struct tf_span){list->p, list->n};
}

/* A hello of TLS 1.0. The bodies of its extensions are empty. */
static inline struct tf_hello hello_of(const char *suites, const char *extensions, const char *groups)
{
    return (struct tf_hello){.format = TF_FORMAT_TLS,
                             .legacy_version = TF_TLS10,
                             .max_version = TF_TLS10,
                             .ciphers = put_list(&suites_made, suites, 2, 0),
                             .extensions = put_list(&extensions_made, extensions, 2, 2),
                             .groups = put_list(&groups_made, groups, 2, 0)};
}

static inline struct tf_hello sslv2_hello_of(const char *specs, uint16_t version)
{
    return (struct tf_hello){.format = TF_FORMAT_SSLV2,
                             .legacy_version = version,
                             .max_version = version,
                             .ciphers = put_list(&suites_made, specs, 3, 0)};
}

#endif
