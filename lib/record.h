/* The lines of the block log and of the access log.
 * Elastic Common Schema names, dotted keys, one JSON object a line. */
#ifndef TF_RECORD_H
#define TF_RECORD_H

#include "calendar.h"
#include "facts.h"
#include "ja.h"
#include "policy.h"

/* The longest line, its newline included. Lists of suites and versions are cut to fit (and end in "..."). */
#define TF_RECORD_MAX 16384

/* What record lines need besides the facts. */
struct tf_record_context {
    const struct tf_policy *policy;
    struct tf_digest md5, sha256;
    bool is_w3c; /* block records: in the W3C extended log file format, see w3c.h */
};

/* A roll-up: connections that have no line of their own. */
struct tf_repeat {
    uint64_t count;
    int64_t first_us, last_us;
};

/* Whether both legs of an upgrade stand, or stood. */
bool tf_record_is_upgraded(const struct tf_facts *facts);
/* Which event.action this session's record has; TF_EVENT_NONE: no record is due. */
enum tf_event tf_record_event(const struct tf_facts *facts);
/* A record of a refusal, a would-be refusal or an upgrade, with its newline. Never truncated in the middle:
 * w->full if it does not fit. */
void tf_put_block_record(struct tf_writer *w, const struct tf_facts *facts,
                         const struct tf_record_context *c);
/* The same in two parts, so that what repeats need not be kept as facts: head and tail are together one line,
 * that of one connection (repeat NULL) or of the connections of a roll-up. */
void tf_put_block_head(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c);
void tf_put_block_tail(struct tf_writer *w, bool is_w3c, const struct tf_repeat *repeat);
/* An access record in two parts, so that a tunnel need not keep its facts: the head when the session is
 * set up, the tail (bytes, duration, how it ended) when it is over. Together one line. */
void tf_put_access_head(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c);
void tf_put_access_tail(struct tf_writer *w, const struct tf_facts *facts);

/* --- what records of either format say (record_facts.c) --- */

/* Fixed texts: event.code, event.reason, and what is to be done about it. */
struct tf_told {
    const char *code, *sentence, *fix;
};

struct tf_told tf_record_told(const struct tf_facts *facts);
/* What the server picked, or else the best that the client offered; 0: nothing is known of TLS. */
uint16_t tf_record_version(const struct tf_facts *facts);
/* The suite that was picked. False: none was. */
bool tf_record_cipher(const struct tf_facts *facts, uint16_t *cipher);
/* The address that was dialled, or was asked for; its family may be TF_FAMILY_NONE. */
const struct tf_addr *tf_record_destination(const struct tf_facts *facts);
const char *
tf_record_client_class(const struct tf_facts *facts); /* `legacy`, `fallback`; "" for the healthy */
const char *tf_record_client_name(const struct tf_client *client); /* what exactly, or else of the family */
/* The versions that a hello offers, in its order, but for GREASE and what nobody knows; and its suites, which
 * in SSLv2 format have three bytes (those that begin with a zero are the usual ones, RFC 5246 E.2). *at
 * begins as 0. False: that was the last. */
bool tf_record_next_version(const struct tf_hello *hello, size_t *at, uint16_t *version);
bool tf_record_next_suite(const struct tf_hello *hello, size_t *at, uint32_t *id);

#endif
