/* Lines that may be anything, in either format: a sighting is taken or not, and what it says is printable and
 * within its bounds. */
#include "../../lib/sighting.h"
#include <stdlib.h>
#include <string.h>

static void check_label(const char *text, size_t size)
{
    size_t n = strnlen(text, size);
    if (n == size)
        abort();
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            abort();
}

static void check(enum tf_line kind, const struct tf_sighting *s)
{
    if (kind != TF_LINE_SIGHTING)
        return;
    check_label(s->host, sizeof s->host);
    check_label(s->name, sizeof s->name);
    check_label(s->user_agent, sizeof s->user_agent);
    check_label(s->user, sizeof s->user);
    check_label(s->ja4, sizeof s->ja4);
    check_label(s->listener, sizeof s->listener);
    check_label(s->rule, sizeof s->rule);
    if (!tf_sighting_is_about_tls(s) || s->first_us > s->last_us || s->reason >= TF_REASON_COUNT ||
        s->family >= TF_CLIENT_FAMILY_COUNT || s->certainty > TF_CLIENT_CERTAIN || s->area > TF_M365_OTHER)
        abort();
}

/* Each line in memory of exactly its size, so that nobody reads beyond it. */
static void read_line(struct tf_columns *columns, struct tf_text text)
{
    struct tf_sighting s;
    char *line = malloc(text.n > 0 ? text.n : 1);
    if (line == NULL)
        return;
    memcpy(line, text.p, text.n);
    check(tf_sighting_of_line(&s, line, text.n), &s);
    check(tf_sighting_of_row(&s, columns, line, text.n), &s);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_columns columns = {0};
    for (struct tf_text rest = {(const char *)data, size}; rest.n > 0;)
        read_line(&columns, tf_text_take(&rest, '\n'));
    return 0;
}
