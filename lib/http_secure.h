/* Fields of a plain HTTP exchange that mean something else on either side.
 *
 * An upgraded exchange is http for the client and https for the server, and
 * the client of a `forward` listener knows the server under the listener's
 * name. So addresses are translated on the way, and what makes sense in https
 * only is taken off responses, so that a client that cannot do TLS is not led
 * or bound to it. Names of cookies are left alone: clients that know the
 * prefixes __Secure- and __Host- refuse such cookies in plain HTTP, older ones
 * take them. Pages are not read, let alone changed. */
#ifndef TF_HTTP_SECURE_H
#define TF_HTTP_SECURE_H

#include "http_head.h"
#include "policy.h"
#include "tenants.h"

/* So many addresses of one request are translated, and so much do they grow at most. */
#define TF_HTTP_TRANSLATED_MAX 3
#define TF_HTTP_SECURE_GROWTH  (TF_HTTP_TRANSLATED_MAX * (sizeof "https://" + TF_AUTHORITY_MAX))

/* The two sides of one exchange. */
struct tf_http_sides {
    const struct tf_policy *policy;
    const struct tf_facts *facts;     /* with the verdict; the target is what the server is asked for */
    bool is_forward;                  /* the client takes the gateway for the server */
    bool is_within;                   /* or speaks TLS with it, as we do: then nothing is translated */
    const struct tf_tenants *tenants; /* that the server is told of; NULL: it is none of theirs */
    struct tf_text host;              /* what it calls it: the request's Host field */
    unsigned translated;              /* addresses of a request so far; 0 at first */
};

/* Whether there is anything to do: otherwise the sides say the same, and mean it. */
bool tf_http_sides_differ(const struct tf_http_sides *sides);
/* Each puts a field as that side must see it, or leaves it out where it means nothing there. */
void tf_http_put_for_server(struct tf_writer *w, struct tf_http_sides *sides,
                            const struct tf_http_field *field);
void tf_http_put_for_client(struct tf_writer *w, const struct tf_http_sides *sides,
                            const struct tf_http_field *field);

#endif
