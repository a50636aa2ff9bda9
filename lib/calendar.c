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
