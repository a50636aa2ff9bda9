/* The SOCKS version 5 front (RFC 1928), with logins by user and password
 * (RFC 1929). Of its commands only CONNECT is served.
 *
 * It owns the dialogue up to its last reply. What the client sends ahead,
 * behind its request, belongs to the tunnel. */
#include "front.h"

#include <assert.h>
#include <string.h>

enum { VERSION_4 = 4, VERSION_5 = 5, LOGIN_VERSION = 1 };
enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_UNACCEPTABLE = 0xff };
enum { COMMAND_CONNECT = 1 };
enum { ADDRESS_V4 = 1, ADDRESS_NAME = 3, ADDRESS_V6 = 4 };

/* RFC 1928 6 */
enum {
    REPLY_SUCCEEDED = 0,
    REPLY_FAILURE = 1,
    REPLY_NOT_ALLOWED = 2,
    REPLY_NET_UNREACHABLE = 3,
    REPLY_HOST_UNREACHABLE = 4,
    REPLY_REFUSED = 5,
    REPLY_TTL_EXPIRED = 6,
    REPLY_COMMAND = 7,
    REPLY_ADDRESS_TYPE = 8
};

enum phase {
    PHASE_GREETING, /* nothing is known yet */
    PHASE_METHODS,  /* the client speaks SOCKS 5 */
    PHASE_LOGIN,
    PHASE_CHECKING, /* the session has the login, and has not said whether it is right */
    PHASE_REQUEST,
    PHASE_ASKED, /* the session knows the target, and has not answered yet */
    PHASE_TUNNEL /* the bytes are not ours any more */
};

struct socks5 {
    enum phase phase;
    bool is_version_4;
    bool is_type_unknown; /* of the address in the request */
};

/* `n` bytes of the client's were the answer to what came before. */
static enum tf_feed go_to(struct socks5 *c, struct tf_feed_io *io, size_t n, enum phase phase)
{
    io->used += n;
    c->phase = phase;
    return TF_FEED_MORE;
}

static enum tf_feed fail(struct tf_facts *facts, enum tf_reason reason, const char *detail)
{
    facts->reason = reason;
    facts->detail = detail;
    return TF_FEED_BAD;
}

static struct tf_span rest_of(const struct tf_feed_io *io)
{
    return (struct tf_span){io->used > 0 ? io->in.p + io->used : io->in.p, io->in.n - io->used};
}

/* The client's message is not whole. */
static enum tf_feed wait_for_more(const struct tf_feed_io *io, struct tf_facts *facts)
{
    return io->eof ? fail(facts, TF_REASON_REQUEST_CUT, NULL) : TF_FEED_MORE;
}

static bool has_room(const struct tf_writer *w, size_t n)
{
    return w->cap - w->len >= n;
}

static void put_pair(struct tf_writer *w, uint8_t version, uint8_t value)
{
    const uint8_t message[2] = {version, value};
    tf_put(w, message, sizeof message);
}

/* What a client says that is set up for another kind of proxy, or for none. */
static const char *mistake_of(uint8_t first)
{
    enum { TLS_HANDSHAKE = 0x16 };
    if (first == VERSION_4)
        return "the client speaks SOCKS version 4";
    if (first == TLS_HANDSHAKE)
        return "the client speaks TLS where SOCKS belongs";
    if (first >= 'A' && first <= 'Z')
        return "the client speaks HTTP where SOCKS belongs";
    return "the first byte is not that of SOCKS version 5";
}

static enum tf_feed feed_greeting(struct socks5 *c, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_span in = rest_of(io);
    if (in.n == 0)
        return io->eof ? TF_FEED_CLOSE : TF_FEED_MORE;
    if (in.p[0] == VERSION_5)
        return go_to(c, io, 1, PHASE_METHODS);
    c->is_version_4 = in.p[0] == VERSION_4;
    return fail(facts, TF_REASON_SOCKS_MALFORMED, mistake_of(in.p[0]));
}

/* struct {
 *     uint8 version = 5;          (read by feed_greeting)
 *     opaque methods<0..255>;
 * } */
static enum tf_feed feed_methods(struct socks5 *c, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_span in = rest_of(io);
    struct tf_reader r = tf_reader_of(in.p, in.n);
    struct tf_reader methods = tf_read_vec8(&r);
    if (methods.failed)
        return wait_for_more(io, facts);
    if (!has_room(io->to_client, 2))
        return TF_FEED_MORE;
    uint8_t method = io->wants_login ? METHOD_PASSWORD : METHOD_NONE;
    if (methods.left == 0 || memchr(methods.p, method, methods.left) == NULL)
        return fail(facts, TF_REASON_LOGIN_REQUIRED,
                    io->wants_login ? "the client does not offer to log in with user and password"
                                    : "the client offers no way to go on without a login");
    put_pair(io->to_client, VERSION_5, method);
    return go_to(c, io, in.n - r.left, io->wants_login ? PHASE_LOGIN : PHASE_REQUEST);
}

/* False: it is no text. */
static bool take_field(struct tf_reader field, char out[TF_USER_MAX])
{
    if (field.left == 0 || memchr(field.p, '\0', field.left) != NULL)
        return false;
    memcpy(out, field.p, field.left);
    out[field.left] = '\0';
    return true;
}

/* struct {
 *     uint8 version = 1;
 *     opaque user<1..255>;
 *     opaque password<1..255>;
 * } */
static enum tf_feed feed_login(struct socks5 *c, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_span in = rest_of(io);
    struct tf_reader r = tf_reader_of(in.p, in.n);
    uint8_t version = tf_read_u8(&r);
    if (!r.failed && version != LOGIN_VERSION)
        return fail(facts, TF_REASON_SOCKS_MALFORMED, "the login is not one of RFC 1929");
    struct tf_reader user = tf_read_vec8(&r);
    struct tf_reader password = tf_read_vec8(&r);
    if (r.failed)
        return wait_for_more(io, facts);
    _Static_assert(TF_USER_MAX > UINT8_MAX, "each field fits, with its NUL");
    if (!take_field(user, io->login->user) || !take_field(password, io->login->password))
        return fail(facts, TF_REASON_LOGIN_FAILED, "the user or the password is empty, or has a NUL in it");
    memcpy(facts->user, io->login->user, sizeof facts->user);
    go_to(c, io, in.n - r.left, PHASE_CHECKING);
    return TF_FEED_LOGIN;
}

/* The bytes of an address to a target. */
static void set_address(struct tf_target *target, enum tf_family family, struct tf_span bytes)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_addr address = {.family = (uint8_t)family};
    memcpy(address.ip, bytes.p, bytes.n);
    tf_put_addr(&w, &address);
    enum tf_host_error error = tf_host_parse(text, w.len, target);
    assert(error == TF_HOST_OK);
}

static enum tf_feed ask(struct socks5 *c, struct tf_facts *facts, enum tf_host_error error, uint16_t port)
{
    if (error == TF_HOST_OK && port == 0)
        error = TF_HOST_BAD_PORT;
    if (error != TF_HOST_OK)
        return fail(facts, TF_REASON_HOST_INVALID, tf_host_error_text(error));
    facts->target.port = facts->target.addr.port = port;
    facts->has_target = true;
    facts->ask = TF_ASK_TUNNEL;
    c->phase = PHASE_ASKED;
    return TF_FEED_TARGET;
}

/* struct {
 *     uint8 version = 5;
 *     uint8 command;
 *     uint8 reserved;
 *     uint8 address_type;
 *     select (address_type) {
 *         case 1: opaque v4[4];
 *         case 3: opaque name<1..255>;
 *         case 4: opaque v6[16];
 *     };
 *     uint16 port;
 * } */
static enum tf_feed feed_request(struct socks5 *c, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct tf_span in = rest_of(io);
    struct tf_reader r = tf_reader_of(in.p, in.n);
    uint8_t version = tf_read_u8(&r);
    uint8_t command = tf_read_u8(&r);
    tf_read_u8(&r);
    uint8_t type = tf_read_u8(&r);
    if (r.failed)
        return wait_for_more(io, facts);
    if (version != VERSION_5)
        return fail(facts, TF_REASON_SOCKS_MALFORMED, "the request is not one of SOCKS version 5");
    if (command != COMMAND_CONNECT)
        return fail(facts, TF_REASON_SOCKS_COMMAND, NULL);
    c->is_type_unknown = type != ADDRESS_V4 && type != ADDRESS_NAME && type != ADDRESS_V6;
    if (c->is_type_unknown)
        return fail(facts, TF_REASON_SOCKS_MALFORMED, "the request has an unknown type of address");
    size_t size = type == ADDRESS_V4 ? 4 : type == ADDRESS_V6 ? 16 : tf_read_u8(&r);
    struct tf_span address = tf_read_span(&r, size);
    uint16_t port = tf_read_u16(&r);
    if (r.failed)
        return wait_for_more(io, facts);
    io->used += in.n - r.left;
    enum tf_host_error error = TF_HOST_OK;
    if (type == ADDRESS_NAME)
        error = tf_host_parse((const char *)address.p, address.n, &facts->target);
    else
        set_address(&facts->target, type == ADDRESS_V4 ? TF_FAMILY_V4 : TF_FAMILY_V6, address);
    return ask(c, facts, error, port);
}

static enum tf_feed feed_message(struct socks5 *c, struct tf_feed_io *io, struct tf_facts *facts)
{
    switch (c->phase) {
    case PHASE_GREETING:
        return feed_greeting(c, io, facts);
    case PHASE_METHODS:
        return feed_methods(c, io, facts);
    case PHASE_LOGIN:
        return feed_login(c, io, facts);
    case PHASE_REQUEST:
        return feed_request(c, io, facts);
    case PHASE_CHECKING:
    case PHASE_ASKED:
    case PHASE_TUNNEL:
        break;
    }
    return TF_FEED_MORE;
}

/* Message by message, as far as the client has sent them ahead. */
static enum tf_feed feed_client(struct socks5 *c, struct tf_feed_io *io, struct tf_facts *facts)
{
    enum tf_feed result;
    enum phase before;
    do {
        before = c->phase;
        result = feed_message(c, io, facts);
    } while (result == TF_FEED_MORE && c->phase != before);
    return result;
}

static enum tf_feed feed(void *state, enum tf_side from, struct tf_feed_io *io, struct tf_facts *facts)
{
    io->used = 0;
    return from == TF_CLIENT ? feed_client(state, io, facts) : TF_FEED_MORE;
}

static enum tf_feed logged_in(void *state, bool ok, const char *token, struct tf_feed_io *io,
                              struct tf_facts *facts)
{
    struct socks5 *c = state;
    (void)token;
    assert(c->phase == PHASE_CHECKING);
    io->used = 0;
    if (!ok)
        return fail(facts, TF_REASON_LOGIN_FAILED, NULL);
    put_pair(io->to_client, LOGIN_VERSION, REPLY_SUCCEEDED);
    assert(!io->to_client->full);
    c->phase = PHASE_REQUEST;
    return feed_client(c, io, facts);
}

/* The address that the gateway has there means nothing to a client: it is all zeros. */
static void put_reply(struct tf_writer *w, uint8_t reply)
{
    const uint8_t message[10] = {VERSION_5, reply, 0, ADDRESS_V4};
    tf_put(w, message, sizeof message);
}

static void answer(void *state, struct tf_feed_io *io, struct tf_facts *facts)
{
    struct socks5 *c = state;
    (void)facts;
    assert(c->phase == PHASE_ASKED);
    io->used = 0;
    put_reply(io->to_client, REPLY_SUCCEEDED);
    c->phase = PHASE_TUNNEL;
}

static uint8_t reply_for(const struct socks5 *c, enum tf_reason reason)
{
    static const struct {
        enum tf_reason reason;
        uint8_t reply;
    } replies[] = {
        {TF_REASON_NAME_NOT_FOUND, REPLY_HOST_UNREACHABLE},  {TF_REASON_NAME_TIMEOUT, REPLY_HOST_UNREACHABLE},
        {TF_REASON_DIAL_UNREACHABLE, REPLY_NET_UNREACHABLE}, {TF_REASON_DIAL_REFUSED, REPLY_REFUSED},
        {TF_REASON_DIAL_TIMEOUT, REPLY_TTL_EXPIRED},         {TF_REASON_SOCKS_COMMAND, REPLY_COMMAND},
    };
    if (c->is_type_unknown)
        return REPLY_ADDRESS_TYPE;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
        if (replies[i].reason == reason)
            return replies[i].reply;
    enum tf_event event = tf_reason_info(reason)->event;
    return event == TF_EVENT_NONE || event == TF_EVENT_MALFORMED ? REPLY_FAILURE : REPLY_NOT_ALLOWED;
}

/* A client of version 4 is told in its own tongue: there are no others who listen before they are greeted. */
static void refuse_version_4(struct tf_writer *w)
{
    static const uint8_t message[8] = {0, 0x5b};
    tf_put(w, message, sizeof message);
}

static void refuse(void *state, struct tf_writer *to_client, const struct tf_facts *facts)
{
    const struct socks5 *c = state;
    if (c == NULL)
        return;
    switch (c->phase) {
    case PHASE_GREETING:
        if (c->is_version_4)
            refuse_version_4(to_client);
        break;
    case PHASE_METHODS:
        put_pair(to_client, VERSION_5, METHOD_UNACCEPTABLE);
        break;
    case PHASE_LOGIN:
    case PHASE_CHECKING:
        put_pair(to_client, LOGIN_VERSION, REPLY_FAILURE);
        break;
    case PHASE_REQUEST:
    case PHASE_ASKED:
        put_reply(to_client, reply_for(c, facts->reason));
        break;
    case PHASE_TUNNEL:
        break;
    }
}

const struct tf_front tf_front_socks5 = {.name = "socks5",
                                         .state_size = sizeof(struct socks5),
                                         .feed = feed,
                                         .answer = answer,
                                         .logged_in = logged_in,
                                         .refuse = refuse};
