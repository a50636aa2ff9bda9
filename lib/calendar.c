/* Calendar arithmetic; see calendar.h.
 *
 * Both ways count in years that begin on the first of March, so that the
 * leap day is a year's last. The calendar repeats itself after 400 years. */
#include "calendar.h"

enum { DAY_S = 24 * 60 * 60 };

enum {
    YEAR_DAYS = 365,
    FOUR_YEARS_DAYS = 4 * YEAR_DAYS + 1,
    CENTURY_DAYS = 25 * FOUR_YEARS_DAYS - 1,
    CYCLE_YEARS = 400,
    CYCLE_DAYS = 4 * CENTURY_DAYS + 1,
    EPOCH_DAY = 719468 /* from 0000-03-01 to 1970-01-01 */
};

/* Days before each month, from March to February, and before the next March but for a leap day. */
static const int days_before[] = {0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337, YEAR_DAYS};

static int least(int a, int b)
{
    return a < b ? a : b;
}

int32_t tf_day_of(int64_t unix_s)
{
    return (int32_t)(unix_s / DAY_S);
}

void tf_civil_from_days(int32_t days, int *year, int *month, int *day)
{
    int64_t since = (int64_t)days + EPOCH_DAY;
    int64_t cycle = (since >= 0 ? since : since - (CYCLE_DAYS - 1)) / CYCLE_DAYS;
    int left = (int)(since - cycle * CYCLE_DAYS);
    /* The last century of a cycle and the last year of four are a day longer: that day is no fifth one. */
    int century = least(left / CENTURY_DAYS, 3);
    left -= century * CENTURY_DAYS;
    int four = left / FOUR_YEARS_DAYS;
    left -= four * FOUR_YEARS_DAYS;
    int one = least(left / YEAR_DAYS, 3);
    left -= one * YEAR_DAYS;
    int m = 11;
    while (days_before[m] > left)
        m--;
    *day = left - days_before[m] + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = (int)cycle * CYCLE_YEARS + century * 100 + four * 4 + one + (*month <= 2);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % CYCLE_YEARS == 0;
}

bool tf_days_from_civil(int year, int month, int day, int32_t *days)
{
    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    int m = (month + 9) % 12;
    if (day > days_before[m + 1] - days_before[m] + (month == 2 && is_leap(year)))
        return false;
    /* One cycle later, so that nothing is negative: January and February of year 0 belong to the year before.
     */
    int y = year + CYCLE_YEARS - (month <= 2);
    *days =
        YEAR_DAYS * y + y / 4 - y / 100 + y / CYCLE_YEARS + days_before[m] + day - 1 - CYCLE_DAYS - EPOCH_DAY;
    return true;
}

/* Seconds since 1970, not before it. */
static void put_day(struct tf_writer *w, uint64_t s)
{
    int year, month, day;
    tf_civil_from_days((int32_t)(s / DAY_S), &year, &month, &day);
    tf_put_padded(w, (uint64_t)year, 4);
    tf_put_char(w, '-');
    tf_put_padded(w, (uint64_t)month, 2);
    tf_put_char(w, '-');
    tf_put_padded(w, (uint64_t)day, 2);
}

void tf_put_day(struct tf_writer *w, int64_t unix_s)
{
    put_day(w, unix_s > 0 ? (uint64_t)unix_s : 0);
}

void tf_put_time(struct tf_writer *w, int64_t unix_us)
{
    uint64_t ms = unix_us > 0 ? (uint64_t)unix_us / 1000 : 0;
    uint64_t of_day = ms / 1000 % DAY_S;
    put_day(w, ms / 1000);
    tf_put_char(w, 'T');
    tf_put_padded(w, of_day / 3600, 2);
    tf_put_char(w, ':');
    tf_put_padded(w, of_day / 60 % 60, 2);
    tf_put_char(w, ':');
    tf_put_padded(w, of_day % 60, 2);
    tf_put_char(w, '.');
    tf_put_padded(w, ms % 1000, 3);
    tf_put_char(w, 'Z');
}

/* A number of exactly so many digits in front of *rest, which it is taken off. */
static bool take_number(struct tf_text *rest, size_t digits, int *value)
{
    uint64_t v;
    if (rest->n < digits || !tf_text_number((struct tf_text){rest->p, digits}, INT32_MAX, &v))
        return false;
    *value = (int)v;
    *rest = (struct tf_text){rest->p + digits, rest->n - digits};
    return true;
}

static bool take_char(struct tf_text *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c)
        return false;
    *rest = (struct tf_text){rest->p + 1, rest->n - 1};
    return true;
}

/* Digits behind the point of seconds, to microseconds; further ones do not count. */
static bool take_fraction(struct tf_text *rest, int *us)
{
    size_t digits = 0;
    *us = 0;
    if (!take_char(rest, '.'))
        return true;
    for (int unit = 100000; rest->n > 0 && tf_ascii_is_digit(rest->p[0]); unit /= 10, digits++) {
        *us += (rest->p[0] - '0') * unit;
        *rest = (struct tf_text){rest->p + 1, rest->n - 1};
    }
    return digits > 0;
}

/* `Z`, or what the clock is ahead of UTC: `+02:00`. */
static bool take_zone(struct tf_text *rest, int *minutes)
{
    int hours, of_hour;
    *minutes = 0;
    if (take_char(rest, 'Z'))
        return true;
    bool is_ahead = take_char(rest, '+');
    if (!is_ahead && !take_char(rest, '-'))
        return false;
    if (!take_number(rest, 2, &hours) || !take_char(rest, ':') || !take_number(rest, 2, &of_hour) ||
        hours > 23 || of_hour > 59)
        return false;
    *minutes = (is_ahead ? 1 : -1) * (hours * 60 + of_hour);
    return true;
}

bool tf_time_parse(struct tf_text text, int64_t *unix_us)
{
    int year, month, day, hour = 0, minute = 0, second = 0, us = 0, zone = 0;
    int32_t days;
    if (!take_number(&text, 4, &year) || !take_char(&text, '-') || !take_number(&text, 2, &month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &day) ||
        !tf_days_from_civil(year, month, day, &days))
        return false;
    if (text.n > 0 &&
        (!take_char(&text, 'T') || !take_number(&text, 2, &hour) || !take_char(&text, ':') ||
         !take_number(&text, 2, &minute) || !take_char(&text, ':') || !take_number(&text, 2, &second) ||
         !take_fraction(&text, &us) || !take_zone(&text, &zone)))
        return false;
    if (text.n > 0 || hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
        return false;
    int64_t s = (int64_t)days * DAY_S + (hour * 60 + minute - zone) * 60 + second;
    *unix_us = s * 1000000 + us;
    return true;
}
