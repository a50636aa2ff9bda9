/* Access control: who may use the gateway, and where to. Pure checks over
 * the settings; the address that tf_access_address allowed is the one that
 * the caller must dial. */
#ifndef TF_ACCESS_H
#define TF_ACCESS_H

#include "policy.h"

/* Classes of addresses as a bit set (1u << enum tf_class), and blocks besides. */
struct tf_address_set {
    uint32_t classes;
    const struct tf_cidr *blocks;
    size_t block_count;
};

struct tf_access {
    struct tf_address_set source;
    struct tf_address_set destination;
    const struct tf_port_range *ports;
    size_t port_count;
    /* Own listening sockets, the admin's too. A wildcard address stands for every address of this machine:
     * loopback, and those in `local`. Filled by the loader when the sockets are bound. */
    const struct tf_addr *listeners;
    size_t listener_count;
    const struct tf_addr *local;
    size_t local_count;
};

bool tf_address_set_has(const struct tf_address_set *set, const struct tf_addr *a);
/* Each answers TF_REASON_NONE or why not. */
enum tf_reason tf_access_source(const struct tf_access *access, const struct tf_addr *source);
enum tf_reason tf_access_port(const struct tf_access *access, uint16_t port);
enum tf_reason tf_access_address(const struct tf_access *access, const struct tf_addr *destination);

#endif
