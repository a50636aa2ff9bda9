/* Files of ticket keys: either there are keys, each whole and with a name of its own, or nothing and a
 * sentence about a line that is there. */
#include "../../lib/ticket_keys.h"
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_keys(const struct tf_ticket_keys *keys)
{
    static const struct tf_ticket_key zero;
    check(keys->count > 0 && keys->count <= TF_TICKET_KEYS_MAX);
    for (size_t i = 0; i < keys->count; i++) {
        check(memcmp(keys->list[i].mac, zero.mac, sizeof zero.mac) != 0);
        check(memcmp(keys->list[i].cipher, zero.cipher, sizeof zero.cipher) != 0);
        for (size_t j = 0; j < i; j++)
            check(memcmp(keys->list[i].name, keys->list[j].name, sizeof zero.name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tf_ticket_keys nothing;
    struct tf_ticket_keys keys;
    unsigned line;
    const char *why = tf_ticket_keys_parse((struct tf_text){(const char *)data, size}, &keys, &line);

    if (why == NULL)
        check_keys(&keys);
    else
        check(line <= size + 1 && why[0] != '\0' && memcmp(&keys, &nothing, sizeof keys) == 0);
    return 0;
}
