/* "Did you mean"; see suggest.h. */
#include "suggest.h"

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: Levenshtein's table with swaps of neighbours. Three rows of it are enough. */
size_t tf_edit_distance(struct tf_text a, struct tf_text b)
{
    size_t rows[3][LONGEST + 1];

    if (a.n > LONGEST || b.n > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
        char at = tf_ascii_lower(a.p[i - 1]);
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char bt = tf_ascii_lower(b.p[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (at != bt));
            if (i > 1 && j > 1 && at == tf_ascii_lower(b.p[j - 2]) && bt == tf_ascii_lower(a.p[i - 2]))
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a.n % 3][b.n];
}

void tf_suggest(struct tf_suggestion *s, const char *candidate)
{
    /* A third of the word may be wrong: enough for slips, too little to make a word out of another. */
    size_t distance = tf_edit_distance(s->unknown, tf_text_of(candidate));
    if (distance > (s->unknown.n + 2) / 3 || (s->best && distance >= s->distance))
        return;
    s->best = candidate;
    s->distance = distance;
}
