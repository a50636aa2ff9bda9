/* A refusal as an HTTP/1.1 response: status, Proxy-Status (RFC 9209), and a
 * page that says to a person what happened and what to do about it. */
#ifndef TF_PAGE_H
#define TF_PAGE_H

#include "facts.h"

#define TF_PAGE_MAX 6144 /* room that is enough whatever the facts; a usual response is under 2 KB */

/* The whole response for facts->reason, with `Connection: close`. Whole or not at all: w->full when it does
 * not fit. */
void tf_put_http_refusal(struct tf_writer *w, const struct tf_facts *facts);

#endif
