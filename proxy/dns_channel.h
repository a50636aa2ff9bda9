/* A name's way to its addresses, without memory: the names of this machine
 * itself, then the hosts file, then the DNS through c-ares on a uv loop. */
#ifndef DNS_CHANNEL_H
#define DNS_CHANNEL_H

#include "dns.h"

struct dns_channel;

/* `addresses` are valid during the call only. The answer holds for ttl_s. n and ttl_s are 0 unless DNS_OK. */
typedef void dns_channel_cb(void *arg, enum dns_status status, const struct tf_addr *addresses, size_t n,
                            uint32_t ttl_s);

/* A question, in memory of the one who asks, which must stay until the callback. */
struct dns_channel_question {
    const char *host; /* lower case */
    enum tf_family family;
    dns_channel_cb *cb;
    void *arg;
};

/* `servers` is a list for ares_set_servers_ports_csv, or "" for those of resolv.conf, which is read now. A
 * server has about question_ms to answer, repeats included. NULL, with a sentence in error[0..size). */
struct dns_channel *dns_channel_new(uv_loop_t *loop, uint32_t question_ms, const char *servers, char *error,
                                    size_t size);
/* The callback comes once, and may come from within this call; it must call nothing of this header. */
void dns_channel_ask(struct dns_channel *c, struct dns_channel_question *question);
/* Calls back what is still open, with DNS_FAILED. The memory goes when the loop has run the closes. */
void dns_channel_free(struct dns_channel *c);

#endif
