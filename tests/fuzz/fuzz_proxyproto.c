/* PROXY protocol headers: whatever is read must come out the same when its beginnings were seen before, and
 * be read again as the same once it has been written. */
#include "../../lib/proxyproto.h"
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool same_address(const struct tf_addr *a, const struct tf_addr *b)
{
    return tf_addr_same_ip(a, b) && a->port == b->port;
}

static void check_rewritten(const struct tf_proxy_header *header, unsigned version)
{
    char text[TF_PROXY_HEADER_ROOM];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_proxy_header again;
    size_t used;
    const char *why;
    tf_put_proxy_header(&w, version, &header->source, &header->destination);
    check(!w.full);
    check(tf_proxy_header_parse((struct tf_span){(const uint8_t *)text, w.len}, &again, &used, &why) ==
          TF_PARSE_DONE);
    check(used == w.len && again.has_addresses);
    check(same_address(&again.source, &header->source));
    check(same_address(&again.destination, &header->destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_proxy_header header, ignored;
    size_t used, part_used;
    const char *why = NULL;
    enum tf_parse result = tf_proxy_header_parse((struct tf_span){data, size}, &header, &used, &why);
    check(result != TF_PARSE_OTHER && used <= size && used <= TF_PROXY_HEADER_MAX);
    check(result != TF_PARSE_BAD || why != NULL);
    check(result != TF_PARSE_MORE || size < TF_PROXY_HEADER_MAX);
    if (result != TF_PARSE_DONE)
        return 0;
    for (size_t n = 0; n < used; n++)
        check(tf_proxy_header_parse((struct tf_span){data, n}, &ignored, &part_used, &why) == TF_PARSE_MORE);
    if (!header.has_addresses)
        return 0;
    check_rewritten(&header, 1);
    check_rewritten(&header, 2);
    return 0;
}
