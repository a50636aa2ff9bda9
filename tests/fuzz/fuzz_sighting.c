/* Lines that may be anything: a sighting is taken or not, and what it says is printable and within its
 * bounds. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_sighting s;
    char *line = malloc(size + 1); /* of exactly this size, so that nobody reads beyond it */
    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    if (tf_sighting_of_line(&s, line, size) == TF_LINE_SIGHTING) {
        check_label(s.host, sizeof s.host);
        check_label(s.name, sizeof s.name);
        check_label(s.user_agent, sizeof s.user_agent);
        check_label(s.user, sizeof s.user);
        check_label(s.ja4, sizeof s.ja4);
        check_label(s.listener, sizeof s.listener);
        check_label(s.rule, sizeof s.rule);
        if (!tf_sighting_is_about_tls(&s) || s.first_us > s.last_us || s.reason >= TF_REASON_COUNT ||
            s.family >= TF_CLIENT_FAMILY_COUNT || s.certainty > TF_CLIENT_CERTAIN || s.area > TF_M365_OTHER)
            abort();
    }
    free(line);
    return 0;
}
