/* Writes JSON (RFC 8259) into a bounded writer. Peer bytes are escaped so
 * that they can break neither a line, a terminal nor a page: everything but
 * printable ASCII becomes \uXXXX, and so do < > & and '. Letters in UTF-8
 * stay letters; bytes that are none become \u00XX each. */
#ifndef TF_JSON_H
#define TF_JSON_H

#include "bytes.h"

/* Keeps track of commas; one object deep. */
struct tf_json {
    struct tf_writer *w;
    bool first;
};

struct tf_json tf_json_open(struct tf_writer *w); /* writes `{` */
/* A member that is an object: comma, key and `{`. Goes on with what it returns until that is closed. */
struct tf_json tf_json_object(struct tf_json *j, const char *key);
void tf_json_close(struct tf_json *j); /* writes `}` */
/* Comma and key; the value is the caller's. Keys are ours: they are written as they are. */
void tf_json_key(struct tf_json *j, const char *key);
void tf_json_text(struct tf_json *j, const char *key, const char *value);
void tf_json_bytes(struct tf_json *j, const char *key, const void *p, size_t n);
void tf_json_u64(struct tf_json *j, const char *key, uint64_t v);
void tf_json_i64(struct tf_json *j, const char *key, int64_t v);
void tf_json_bool(struct tf_json *j, const char *key, bool v);
void tf_json_null(struct tf_json *j, const char *key);
void tf_put_json_string(struct tf_writer *w, const void *p, size_t n); /* quoted and escaped */

#endif
