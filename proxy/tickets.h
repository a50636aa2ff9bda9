/* Session tickets (RFC 5077, RFC 8446 4.6.1): the keys that they are made
 * with. They serve every kind of client whose TLS ends here; what a session
 * may be resumed for is up to its scope (tls_context.h), which OpenSSL
 * compares when a ticket has been decrypted.
 *
 * The keys are those of [gateway] ticket_keys_file, which gateways share, or
 * else our own: random, in memory only, and a new one as soon as the last has
 * encrypted for as long as a ticket lives. */
#ifndef TICKETS_H
#define TICKETS_H

#include "../lib/ticket_keys.h"
#include <openssl/ssl.h>

/* For how long a ticket is of use, at most. */
enum { TICKET_LIFE_S = 8 * 3600 };

/* Counted, shared by all loops. */
struct tickets;

/* The keys in the file, or where that is "" our own. NULL with a sentence that names the setting in error. */
struct tickets *tickets_new(const char *file, char *error, size_t size);
struct tickets *tickets_ref(struct tickets *t);
void tickets_unref(struct tickets *t); /* may be NULL; the last one wipes the keys */

/* Clients of this context get tickets as far as their SSL has keys. False: OpenSSL cannot. */
bool tickets_serve(SSL_CTX *context);
/* Before its handshake. Either may be NULL: without keys there are no tickets, and none is understood. */
void tickets_attach(SSL *ssl, struct tickets *t);

/* How many tickets clients have shown that none of the keys is for. */
uint64_t tickets_unknown(const struct tickets *t);

/* What OpenSSL is told, at `now_s` on a clock that never goes back. The key, which the caller wipes, that
 * encrypts now; false: none can be made, and there is no ticket. */
bool tickets_newest(struct tickets *t, int64_t now_s, struct tf_ticket_key *key);
/* The key of this name; *is_newest: it is also the one that encrypts now. False, and counted: it is unknown.
 */
bool tickets_find(struct tickets *t, int64_t now_s, const uint8_t name[TF_TICKET_NAME_SIZE],
                  struct tf_ticket_key *key, bool *is_newest);

#endif
