/* "Did you mean": the known word that is nearest to one that is not known. */
#ifndef TF_SUGGEST_H
#define TF_SUGGEST_H

#include "text.h"

/* Zero it, set `unknown`, offer the candidates. */
struct tf_suggestion {
    struct tf_text unknown;
    const char *best; /* NULL: none is near; else one of those offered */
    size_t distance;
};

void tf_suggest(struct tf_suggestion *s, const char *candidate);
/* `; did you mean best?`, or nothing, as three texts. */
#define TF_DID_YOU_MEAN(s) (s).best ? "; did you mean " : "", (s).best ? (s).best : "", (s).best ? "?" : ""

/* How many letters must be changed, added, left out or swapped with a neighbour to make a out of b, in any
 * case. SIZE_MAX when one of them is longer than 64 characters. */
size_t tf_edit_distance(struct tf_text a, struct tf_text b);

#endif
