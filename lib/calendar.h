/* Days and times as text, in UTC and the proleptic Gregorian calendar. Pure:
 * what time it is, the caller says. */
#ifndef TF_CALENDAR_H
#define TF_CALENDAR_H

#include "bytes.h"
#include "text.h"

/* RFC 3339 in UTC with milliseconds: 2026-11-21T23:06:59.123Z. A clock that stands before 1970 is taken to
 * stand at 1970. */
void tf_put_time(struct tf_writer *w, int64_t unix_us);
/* The day alone: 2026-11-21, likewise. */
void tf_put_day(struct tf_writer *w, int64_t unix_s);
/* The day that it is, as days since 1970-01-01. */
int32_t tf_day_of(int64_t unix_s);
/* Days since 1970-01-01 to a date and back. */
void tf_civil_from_days(int32_t days, int *year, int *month, int *day);
bool tf_days_from_civil(int year, int month, int day,
                        int32_t *days); /* false: no such date, or not in 0 to 9999 */
/* The other way: RFC 3339, in UTC or with an offset, or a day alone (its begin), to microseconds since 1970.
 */
bool tf_time_parse(struct tf_text text, int64_t *unix_us);

#endif
