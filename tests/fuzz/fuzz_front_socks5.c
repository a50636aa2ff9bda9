/* The SOCKS 5 front: a dialogue must come to the same however its bytes are cut, whatever it takes must be a
 * target that can be dialled, and it must neither consume nor write what it has no right to. The first byte
 * says whether a login is wanted and whether it is right, the second how long the pieces are. */
#include "../../lib/front.h"
#include <stdlib.h>
#include <string.h>

enum { STATE_SIZE = 64, OUT_SIZE = 64 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

struct play {
    uint64_t state[STATE_SIZE / sizeof(uint64_t)];
    struct tf_facts facts;
    struct tf_login login;
    bool wants_login, is_right;
    struct tf_writer to_client;
    char out[OUT_SIZE];
    size_t at; /* consumed so far */
    enum tf_feed result;
};

static bool is_over(enum tf_feed result)
{
    return result == TF_FEED_TARGET || result == TF_FEED_BAD || result == TF_FEED_CLOSE;
}

static void feed(struct play *p, const uint8_t *data, size_t end, bool eof)
{
    struct tf_writer none = tf_writer_of(NULL, 0);
    struct tf_feed_io io = {.in = {data + p->at, end - p->at},
                            .eof = eof,
                            .to_client = &p->to_client,
                            .to_server = &none,
                            .wants_login = p->wants_login,
                            .login = &p->login};
    p->result = tf_front_socks5.feed(p->state, TF_CLIENT, &io, &p->facts);
    check(io.used <= io.in.n);
    p->at += io.used;
    if (p->result != TF_FEED_LOGIN)
        return;
    check(p->wants_login && p->login.user[0] != '\0' && p->login.password[0] != '\0');
    io.in = (struct tf_span){data + p->at, end - p->at};
    p->result = tf_front_socks5.logged_in(p->state, p->is_right, NULL, &io, &p->facts);
    check(io.used <= io.in.n && p->result != TF_FEED_LOGIN);
    p->at += io.used;
}

static void run(struct play *p, uint8_t options, const uint8_t *data, size_t n, size_t piece)
{
    memset(p, 0, sizeof *p);
    p->wants_login = options & 1;
    p->is_right = options & 2;
    p->to_client = tf_writer_of(p->out, sizeof p->out);
    for (size_t end = 0; end < n && !is_over(p->result);) {
        end = n - end < piece ? n : end + piece;
        feed(p, data, end, false);
    }
    if (!is_over(p->result))
        feed(p, data, n, true);
    check(is_over(p->result));
    if (p->result == TF_FEED_BAD)
        tf_front_socks5.refuse(p->state, &p->to_client, &p->facts);
    check(!p->to_client.full);
}

static void check_target(const struct play *p)
{
    struct tf_target again;
    const struct tf_target *target = &p->facts.target;
    check(p->facts.has_target && p->facts.ask == TF_ASK_TUNNEL && target->port > 0);
    check(tf_host_parse(target->host, strlen(target->host), &again) == TF_HOST_OK);
    check(strcmp(again.host, target->host) == 0 && again.is_address == target->is_address);
    check(tf_addr_same_ip(&again.addr, &target->addr));
    check(!target->is_address || target->addr.port == target->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play whole, pieces;
    if (size < 2)
        return 0;
    check(tf_front_socks5.state_size <= STATE_SIZE);
    run(&whole, data[0], data + 2, size - 2, size);
    run(&pieces, data[0], data + 2, size - 2, (size_t)data[1] % 16 + 1);
    check(whole.result == pieces.result && whole.at == pieces.at);
    check(whole.facts.reason == pieces.facts.reason && whole.facts.detail == pieces.facts.detail);
    check(whole.to_client.len == pieces.to_client.len &&
          memcmp(whole.out, pieces.out, whole.to_client.len) == 0);
    if (whole.result == TF_FEED_TARGET)
        check_target(&whole);
    return 0;
}
