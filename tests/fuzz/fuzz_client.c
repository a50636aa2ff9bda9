/* Any bytes as what a client says: a line that is its User-Agent, one that is its name in EHLO, and behind
 * them its hello. Whatever they are, an answer is known or it is not, and a guess is worded as one. */
#include "../../lib/client.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Takes a line off the input, as a text of its own: cut to fit, and at its first NUL. */
static void take_line(const uint8_t **p, size_t *n, char *text, size_t text_size)
{
    const uint8_t *end = *n > 0 ? memchr(*p, '\n', *n) : NULL;
    size_t line = end != NULL ? (size_t)(end - *p) : 0;
    size_t kept = line < text_size ? line : text_size - 1;
    if (kept > 0)
        memcpy(text, *p, kept);
    text[kept] = '\0';
    if (end != NULL) {
        *p += line + 1;
        *n -= line + 1;
    }
}

static void check(const struct tf_hello *hello, const char *user_agent, const char *greeting)
{
    struct tf_client client = tf_client_identify(hello, user_agent, greeting);
    bool is_known = client.family != TF_CLIENT_FAMILY_UNKNOWN;
    must(client.family < TF_CLIENT_FAMILY_COUNT);
    must(is_known == (client.certainty != TF_CLIENT_NOT_KNOWN));
    must(is_known == (client.evidence != 0));
    must(is_known == (client.name[0] != '\0'));
    must((client.certainty == TF_CLIENT_POSSIBLE) == (strncmp(client.name, "perhaps ", 8) == 0));
    must(client.certainty != TF_CLIENT_CERTAIN || client.evidence > TF_CLIENT_BY_HELLO);
    must(tf_client_info(client.family)->kind != TF_CLIENT_PRODUCT);
    tf_client_is_browser(hello, user_agent, client.family);
    must((tf_client_fingerprint(hello) == 0) == (hello == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch[TF_HELLO_MAX];
    char user_agent[256], greeting[64];
    take_line(&data, &size, user_agent, sizeof user_agent);
    take_line(&data, &size, greeting, sizeof greeting);
    check(NULL, user_agent, greeting);

    struct tf_hello_scan scan = {.limit = TF_HELLO_MAX};
    struct tf_hello hello;
    uint8_t *stream = malloc(size > 0 ? size : 1); /* what is behind its end is not to be read */
    must(stream != NULL);
    if (size > 0)
        memcpy(stream, data, size);
    if (tf_client_scan(&scan, stream, size, scratch, sizeof scratch, &hello) == TF_PARSE_DONE)
        check(&hello, user_agent, greeting);
    free(stream);
    return 0;
}
