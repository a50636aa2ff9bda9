/* TLS sessions with servers, kept by verified name and port so that the next
 * connection is resumed. Of one loop; cleared when the settings change, since
 * a session stands for a certificate that verified under the old ones. */
#ifndef RESUME_H
#define RESUME_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resume_entry;

/* Zero it, set max. */
struct resumer {
    size_t max;                    /* entries; may change; 0: nothing is kept */
    struct resume_entry **buckets; /* private */
    size_t bucket_count, count;
    struct resume_entry *newest, *oldest;
};

/* The entry for a destination, made if it is not there. Held until resume_release. NULL: none is kept, or out
 * of memory. */
struct resume_entry *resume_hold(struct resumer *r, const char *name, uint16_t port);
void resume_release(struct resume_entry *entry);
SSL_SESSION *resume_session(struct resume_entry *entry); /* borrowed; NULL: there is none to resume */
void resume_store(struct resume_entry *entry, SSL_SESSION *session); /* takes the reference */
/* The group that the server took, as OpenSSL numbers it; 0: not known yet. */
int resume_group(const struct resume_entry *entry);
void resume_set_group(struct resume_entry *entry, int group);
void resume_drop(struct resume_entry *entry); /* the server did not like it */
/* For SSL_CTX_sess_set_new_cb of the outside context: stores into the entry that is the SSL's app data. */
int resume_on_session(SSL *ssl, SSL_SESSION *session);
void resumer_clear(struct resumer *r); /* entries that are held live on until they are released */

#endif
