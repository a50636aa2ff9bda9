/* Patterns, filters and the index of the endpoint set. The first byte picks what the rest is: a filter, or a
 * host and patterns, a line each. A search by the index must find what a look at every pattern finds. */
#include "../../lib/m365.h"
#include "../../lib/text.h"
#include <stdlib.h>
#include <string.h>

enum { PATTERNS = 16, TEXT_MAX = 300 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_filter(const char *text, size_t n)
{
    struct tf_m365_filter filter;
    enum tf_m365_area area;
    enum tf_m365_category category;

    if (!tf_m365_filter_parse(text, n, &filter))
        return;
    const char *area_name = tf_m365_area_name(filter.area);
    const char *category_name = tf_m365_category_name(filter.category);
    check(!filter.by_area || !filter.by_category);
    if (filter.by_area)
        check(tf_m365_area_parse(area_name, strlen(area_name), &area) && area == filter.area);
    if (filter.by_category)
        check(tf_m365_category_parse(category_name, strlen(category_name), &category) &&
              category == filter.category);
}

/* A line as a text without NULs; cut to fit. */
static void take_line(struct tf_text *rest, char line[TEXT_MAX])
{
    struct tf_text t = tf_text_take(rest, '\n');
    size_t n = 0;
    for (size_t i = 0; i < t.n && n < TEXT_MAX - 1; i++)
        if (t.p[i] != '\0')
            line[n++] = t.p[i];
    line[n] = '\0';
}

static void check_search(struct tf_text rest)
{
    static const struct tf_port_range ports[] = {{443, 443}};
    static char host[TEXT_MAX], patterns[PATTERNS][TEXT_MAX];
    struct tf_m365_set sets[PATTERNS] = {0};
    struct tf_m365_entry entries[PATTERNS];
    struct tf_m365 m365 = {.sets = sets, .entries = entries};
    const struct tf_m365_set *expected = NULL;

    take_line(&rest, host);
    while (rest.p && m365.set_count < PATTERNS) {
        struct tf_m365_set *set = &sets[m365.set_count];
        char *pattern = patterns[m365.set_count];
        take_line(&rest, pattern);
        size_t n = strlen(pattern);
        if (!tf_m365_is_pattern(pattern, n))
            continue;
        set->category = (enum tf_m365_category)(n % TF_M365_CATEGORIES);
        set->ports = ports;
        set->port_count = 1;
        entries[m365.entry_count++] = (struct tf_m365_entry){pattern, set};
        m365.ordered_count += tf_m365_is_ordered(pattern);
        m365.set_count++;
        if (tf_m365_name_matches(pattern, host, strlen(host)) &&
            (!expected || set->category < expected->category))
            expected = set;
    }
    qsort(entries, m365.entry_count, sizeof *entries, tf_m365_order);
    bool is_name = strlen(host) <= 253;
    check(tf_m365_find(&m365, host, 443, NULL) == (is_name ? expected : NULL));
    check(!tf_m365_find(&m365, host, 444, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    if (data[0] % 2 == 0)
        check_filter(text, size - 1);
    else
        check_search((struct tf_text){text, size - 1});
    return 0;
}
