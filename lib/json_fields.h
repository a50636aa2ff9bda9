/* Fields of JSON objects whose values have one spelling wherever they stand.
 * Their texts need no escaping. */
#ifndef TF_JSON_FIELDS_H
#define TF_JSON_FIELDS_H

#include "addr.h"
#include "json.h"

void tf_json_addr(struct tf_json *j, const char *key, const struct tf_addr *a); /* without its port */
void tf_json_time(struct tf_json *j, const char *key, int64_t unix_us);         /* as tf_put_time */
void tf_json_day(struct tf_json *j, const char *key, int64_t unix_s);           /* as tf_put_day */
void tf_json_version(struct tf_json *j, const char *key, uint16_t version);     /* as tf_put_short_version */
void tf_json_suite(struct tf_json *j, const char *key, uint16_t suite);         /* as tf_put_suite */

#endif
