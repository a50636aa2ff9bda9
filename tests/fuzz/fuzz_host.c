/* Hosts, authorities, addresses and blocks: whatever is taken must be put so that it is taken again as the
 * same, and what counts as a name must be no address to a resolver. The first byte picks the parser. */
#include "../../lib/host.h"
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_target(const struct tf_target *target)
{
    struct tf_target again;
    struct in_addr v4;
    size_t n = strlen(target->host);

    check(n > 0 && n < TF_HOST_MAX);
    check(tf_host_parse(target->host, n, &again) == TF_HOST_OK);
    check(strcmp(again.host, target->host) == 0 && again.is_address == target->is_address);
    check(tf_addr_same_ip(&again.addr, &target->addr));
    check(target->is_address || inet_aton(target->host, &v4) == 0);
    check(tf_host_matches(target->host, target->host, n) && tf_host_matches("*", target->host, n));
}

static void check_addr(const struct tf_addr *a, bool with_port)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_addr again;

    (with_port ? tf_put_addr_port : tf_put_addr)(&w, a);
    check(!w.full);
    check((with_port ? tf_addr_port_parse : tf_addr_parse)(text, w.len, &again));
    check(memcmp(&again, a, sizeof again) == 0);
    check(tf_class_name(tf_addr_class(a))[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tf_target target;
    struct tf_addr addr;
    struct tf_cidr cidr;
    const char *why;

    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    size_t n = size - 1;
    switch (data[0] % 5) {
    case 0:
        if (tf_host_parse(text, n, &target) == TF_HOST_OK)
            check_target(&target);
        break;
    case 1:
        if (tf_authority_parse(text, n, data[0] > 127 ? 80 : 0, &target) == TF_HOST_OK) {
            check(target.port > 0 && target.addr.port == target.port);
            check_target(&target);
        }
        break;
    case 2:
        if (tf_addr_parse(text, n, &addr))
            check_addr(&addr, false);
        break;
    case 3:
        if (tf_addr_port_parse(text, n, &addr))
            check_addr(&addr, true);
        break;
    case 4:
        if (tf_cidr_parse(text, n, &cidr, &why))
            check(tf_cidr_has(&cidr, &cidr.base));
        break;
    }
    return 0;
}
