/* What a visitor of the admin socket asks for, and whether it may. */
#ifndef ADMIN_REQUEST_H
#define ADMIN_REQUEST_H

#include "../lib/host.h"
#include "../lib/text.h"
#include <llhttp.h>

enum { ADMIN_URL_MAX = 1024, ADMIN_REQUEST_MAX = 8192 };

/* Text that comes in pieces; what does not fit is left out, and said. */
struct admin_text {
    char p[ADMIN_URL_MAX];
    size_t n;
    bool is_cut;
};

struct admin_request {
    llhttp_t parser;
    struct admin_text url, field, host;
    bool in_host;
    unsigned hosts; /* Host fields seen */
    bool is_whole;  /* the head is there; whatever follows is not looked at */
    size_t received;
};

void admin_request_init(struct admin_request *r);
/* The next bytes. True: it can be answered, since it is whole, or will never be right. */
bool admin_request_feed(struct admin_request *r, const char *p, size_t n);
/* What is wrong with it, as a status and a sentence that ends with a newline; 200 when nothing is. `hosts`:
 * patterns of the names that it may be asked for by, besides addresses and localhost. */
unsigned admin_request_judge(const struct admin_request *r, const char *const *hosts, size_t host_count,
                             const char **sentence);
bool admin_request_is_head(const struct admin_request *r);
struct tf_text admin_request_path(const struct admin_request *r);
struct tf_text
admin_request_query(const struct admin_request *r); /* without its question mark; may be empty */

#endif
