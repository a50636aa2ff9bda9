/* Fields of JSON objects for addresses, times, versions and suites; see json_fields.h. */
#include "json_fields.h"

#include "calendar.h"
#include "hello.h"
#include "suites.h"

static void begin(struct tf_json *j, const char *key)
{
    tf_json_key(j, key);
    tf_put_char(j->w, '"');
}

static void end(struct tf_json *j)
{
    tf_put_char(j->w, '"');
}

void tf_json_addr(struct tf_json *j, const char *key, const struct tf_addr *a)
{
    begin(j, key);
    tf_put_addr(j->w, a);
    end(j);
}

void tf_json_time(struct tf_json *j, const char *key, int64_t unix_us)
{
    begin(j, key);
    tf_put_time(j->w, unix_us);
    end(j);
}

void tf_json_day(struct tf_json *j, const char *key, int64_t unix_s)
{
    begin(j, key);
    tf_put_day(j->w, unix_s);
    end(j);
}

void tf_json_version(struct tf_json *j, const char *key, uint16_t version)
{
    begin(j, key);
    tf_put_short_version(j->w, version);
    end(j);
}

void tf_json_suite(struct tf_json *j, const char *key, uint16_t suite)
{
    begin(j, key);
    tf_put_suite(j->w, suite);
    end(j);
}
