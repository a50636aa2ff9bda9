/* What kind of address this is, from the IANA special-purpose registries
 * (RFC 6890) and from what clouds put at well-known addresses. */
#include "addr.h"

struct special {
    enum tf_class class;
    struct tf_cidr block;
};

#define V4(class, bits, ...)                                                                                 \
    {                                                                                                        \
        TF_CLASS_##class,                                                                                    \
        {                                                                                                    \
            {.family = TF_FAMILY_V4, .ip = {__VA_ARGS__}}, bits                                              \
        }                                                                                                    \
    }
#define V6(class, bits, ...)                                                                                 \
    {                                                                                                        \
        TF_CLASS_##class,                                                                                    \
        {                                                                                                    \
            {.family = TF_FAMILY_V6, .ip = {__VA_ARGS__}}, bits                                              \
        }                                                                                                    \
    }

/* The first row that holds an address decides. */
static const struct special specials[] = {
    /* Clouds hand out credentials or steer the machine at these. */
    V4(METADATA, 32, 169, 254, 169, 254),                         /* nearly all clouds */
    V4(METADATA, 32, 169, 254, 170, 2),                           /* AWS containers */
    V4(METADATA, 32, 169, 254, 170, 23),                          /* AWS pods */
    V4(METADATA, 32, 168, 63, 129, 16),                           /* Azure platform */
    V4(METADATA, 32, 100, 100, 100, 200),                         /* Alibaba */
    V4(METADATA, 32, 192, 0, 0, 192),                             /* Oracle */
    V6(METADATA, 128, 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54), /* AWS */
    V6(METADATA, 128, 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23),       /* AWS pods */
    V6(METADATA, 128, 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54), /* Google */
    V4(UNSPECIFIED, 8, 0),
    V4(PRIVATE, 8, 10),
    V4(SHARED, 10, 100, 64),
    V4(LOOPBACK, 8, 127),
    V4(LINK_LOCAL, 16, 169, 254),
    V4(PRIVATE, 12, 172, 16),
    V4(DOCUMENTATION, 24, 192, 0, 2),
    V4(RESERVED, 24, 192, 0, 0),
    V4(6TO4, 24, 192, 88, 99),
    V4(PRIVATE, 16, 192, 168),
    V4(BENCHMARK, 15, 198, 18),
    V4(DOCUMENTATION, 24, 198, 51, 100),
    V4(DOCUMENTATION, 24, 203, 0, 113),
    V4(MULTICAST, 4, 224),
    V4(RESERVED, 4, 240),
    V4(PUBLIC, 0, 0),
    V6(UNSPECIFIED, 128, 0),
    V6(LOOPBACK, 128, [15] = 1),
    V6(MAPPED, 96, [10] = 0xff, 0xff),
    V6(MAPPED, 96, 0), /* IPv4-compatible, deprecated by RFC 4291 2.5.5.1 */
    V6(NAT64, 96, 0x00, 0x64, 0xff, 0x9b),
    V6(NAT64, 48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01),
    V6(TEREDO, 32, 0x20, 0x01),
    V6(BENCHMARK, 48, 0x20, 0x01, 0x00, 0x02),
    V6(RESERVED, 23, 0x20, 0x01), /* IETF protocol assignments: anycast services, ORCHID, drones */
    V6(DOCUMENTATION, 32, 0x20, 0x01, 0x0d, 0xb8),
    V6(6TO4, 16, 0x20, 0x02),
    V6(DOCUMENTATION, 20, 0x3f, 0xff),
    V6(PUBLIC, 3, 0x20), /* the only global unicast space that is given out */
    V6(PRIVATE, 7, 0xfc),
    V6(LINK_LOCAL, 10, 0xfe, 0x80),
    V6(MULTICAST, 8, 0xff),
    V6(RESERVED, 0, 0),
};

enum tf_class tf_addr_class(const struct tf_addr *a)
{
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
        if (tf_cidr_has(&specials[i].block, a))
            return specials[i].class;
    /* No family: an address that is not known is none that anybody may count as public. */
    return TF_CLASS_UNSPECIFIED;
}

const char *tf_class_name(enum tf_class c)
{
    switch (c) {
    case TF_CLASS_PUBLIC:
        return "public";
    case TF_CLASS_LOOPBACK:
        return "loopback";
    case TF_CLASS_PRIVATE:
        return "private";
    case TF_CLASS_LINK_LOCAL:
        return "link-local";
    case TF_CLASS_METADATA:
        return "metadata";
    case TF_CLASS_SHARED:
        return "shared";
    case TF_CLASS_DOCUMENTATION:
        return "documentation";
    case TF_CLASS_BENCHMARK:
        return "benchmark";
    case TF_CLASS_MULTICAST:
        return "multicast";
    case TF_CLASS_MAPPED:
        return "mapped";
    case TF_CLASS_NAT64:
        return "nat64";
    case TF_CLASS_6TO4:
        return "6to4";
    case TF_CLASS_TEREDO:
        return "teredo";
    case TF_CLASS_UNSPECIFIED:
        return "unspecified";
    case TF_CLASS_RESERVED:
        return "reserved";
    }
    return "";
}
