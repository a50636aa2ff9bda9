/* What a session must know of `tf_front_http` beyond front.h.
 *
 * With io->upstream the client takes the gateway for that server (`forward`):
 * it sends paths, all requests are TF_ASK_HTTP for the upstream, and an
 * absolute form must name it.
 *
 * With io->is_within the client has its TLS with the upstream, and it ends
 * here: what names a host, be it Host or an absolute form (of https), must
 * name that; facts->target is whoever is connected, and stays.
 *
 * Heads are read whole: feed answers MORE with nothing used until io->in
 * holds all of one. When `in` cannot grow any more, the session refuses:
 * TF_REASON_REQUEST_TOO_LARGE or TF_REASON_UPSTREAM_MALFORMED.
 *
 * With io->wants_login every request, also of a kept connection, has to bring Proxy-Authorization:
 * TF_FEED_LOGIN consumes nothing; once logged_in was told that it is right, feed is shown the same bytes.
 *
 * TF_ASK_TUNNEL: feed consumes the head; the bytes behind it belong to the
 * tunnel. answer writes the 200. Then the front is done, and refuse is mute.
 *
 * TF_ASK_HTTP: feed consumes nothing; answer is shown the same bytes, and
 * consumes the head. From then on both sides are fed until AGAIN, CLOSE,
 * SWITCH or BAD.
 *
 * Where facts->verdict is UPGRADE when answer is called, the server is spoken
 * to in TLS: fields are translated (http_secure.h), and the client may ask for
 * a WebSocket; when the server agrees, feed says SWITCH.
 *
 * Room: answer needs the head's size and TF_HTTP_HEAD_GROWTH for the server.
 * A response head that does not even fit an empty writer for the client is
 * TF_REASON_UPSTREAM_MALFORMED. Bodies need TF_HTTP_BODY_ROOM to go on. */
#ifndef TF_FRONT_HTTP_H
#define TF_FRONT_HTTP_H

#include "front.h"
#include "http_forward.h"

/* Once answer has been called: whether the request may be sent a second time if the connection fails before
 * anything of a response has come (RFC 9110 9.2.2). The caller sees to it that nothing of a body has gone
 * out. */
bool tf_http_is_repeatable(const void *state);
/* At AGAIN: whether the connection to the server may take another request for the same target. Bytes that
 * come from there before that request is sent are no answer to it: then it may not. */
bool tf_http_server_reusable(const void *state);
/* At CLOSE: whether the response broke off, for facts->reason. The client must not take it for a whole one.
 */
bool tf_http_is_broken_off(const void *state);
/* Whether the client takes the end of the connection for the end of the response, having nothing better. */
bool tf_http_end_is_the_end(const void *state);

/* What a client calls itself, into the facts. */
void tf_http_note_user_agent(struct tf_facts *facts, struct tf_text text);

#endif
