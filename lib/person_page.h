/* The page for a person whose browser is blocked for its TLS version: the
 * gateway stands in for the server, in a handshake of the old version, to say
 * so in words that the browser can show. */
#ifndef TF_PERSON_PAGE_H
#define TF_PERSON_PAGE_H

#include "front.h"
#include "policy.h"

/* Room that is enough for a response whatever the facts; a usual one is under 4 KB. */
#define TF_PERSON_PAGE_MAX 12288
/* The longest texts of [page]. */
enum { TF_PAGE_TEXT_MAX = 500, TF_PAGE_CONTACT_MAX = 200, TF_PAGE_LINK_MAX = 200 };

/* Whether somebody may be looking: what is known of the client is like a browser. */
bool tf_person_is_there(const struct tf_facts *facts);
/* The whole response; `is_bodiless` (HEAD): without the page itself. Whole or not at all: w->full when it
 * does not fit. */
void tf_put_person_page(struct tf_writer *w, const struct tf_facts *facts, uint16_t floor, bool is_bodiless);

/* front_page.c: the dialogue inside that handshake, with a session that is blocked already. feed consumes one
 * request's head and answers BAD, facts->reason being what it was; refuse writes the page then. What is no
 * request (TF_REASON_REQUEST_MALFORMED), or not whole, gets no answer. */
extern const struct tf_front tf_front_page;

#endif
