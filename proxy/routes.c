/* The table of routes; see routes.h. */
#include "routes.h"

#include "../lib/conf.h"
#include "steps.h"

#include <stddef.h>

/* A front is a row that ends in a verdict; a verdict is a row that ends the session. Steps that a listener
 * has no use for (a PROXY header, TLS to the proxy itself, a parent proxy) are over at once.
 *
 * The order is what users of proxies expect: an HTTP client hears of a destination that cannot be reached
 * before it begins with TLS, so CONNECT dials first. With TLS straight in, a client that is to be refused
 * costs neither a lookup nor a connection: `decide` comes first, and once more after `dial` for rules that
 * name addresses. Where a server speaks first (`mail`), it has to be dialled before anything else. */

/* Fronts. */
static const struct route route_connect = {"connect",
                                           {&step_proxy_header, &step_preface, &step_outer_tls, &step_request,
                                            &step_access, &step_dial, &step_approach, &step_answer,
                                            &step_mail, &step_hello, &step_decide, NULL}};
static const struct route route_sni = {"sni",
                                       {&step_proxy_header, &step_preface, &step_hello, &step_decide,
                                        &step_access, &step_dial, &step_approach, &step_decide, NULL}};
static const struct route route_transparent = {"transparent",
                                               {&step_proxy_header, &step_preface, &step_original, &step_mail,
                                                &step_hello, &step_decide, &step_access, &step_dial,
                                                &step_approach, &step_decide, NULL}};
/* Whose target the listener knows. */
static const struct route route_forward = {"forward",
                                           {&step_proxy_header, &step_preface, &step_mail, &step_hello,
                                            &step_decide, &step_access, &step_dial, &step_approach,
                                            &step_decide, NULL}};
/* Clients that take the listener for one server ask it for plain HTTP alone. */
static const struct route route_forward_http = {
    "forward", {&step_proxy_header, &step_preface, &step_outer_tls, &step_request, NULL}};

/* Plain HTTP. */
const struct route route_http = {"http",
                                 {&step_preface, &step_access, &step_decide, &step_reuse, &step_dial,
                                  &step_approach, &step_decide, &step_answer, &step_exchange, NULL}};
/* A plain request whose server side is TLS. */
const struct route route_secure = {"secure",
                                   {&step_secure, &step_access, &step_reuse, &step_dial, &step_approach,
                                    &step_originate, &step_answer, &step_exchange, NULL}};
/* A request within the client's own TLS, which was upgraded as a whole. */
const struct route route_within = {"within",
                                   {&step_access, &step_reuse, &step_dial, &step_approach, &step_originate,
                                    &step_answer, &step_exchange, NULL}};
/* The next request on a connection that is kept. */
const struct route route_again = {"connect",
                                  {&step_request, &step_preface, &step_access, &step_dial, &step_approach,
                                   &step_answer, &step_mail, &step_hello, &step_decide, NULL}};
/* A request that was sent over a connection that was no more. */
const struct route route_retry = {"http", {&step_dial, &step_approach, &step_exchange, NULL}};
const struct route route_retry_secure = {"secure",
                                         {&step_dial, &step_approach, &step_originate, &step_exchange, NULL}};

/* Mail: plain text first. The client's hello comes in its middle, or in front of it. */
const struct route route_mail = {
    "mail", {&step_access, &step_intent, &step_dial, &step_approach, &step_intent, &step_dialogue, NULL}};
const struct route route_mail_implicit = {"mail",
                                          {&step_hello, &step_decide, &step_access, &step_dial,
                                           &step_approach, &step_decide, &step_mail_verdict, NULL}};
const struct route route_mail_hello = {"mail", {&step_hello, &step_decide, &step_mail_verdict, NULL}};
const struct route route_mail_dialogue = {"mail", {&step_dialogue, NULL}};
const struct route route_mail_secure = {"mail", {&step_originate, &step_dialogue, NULL}};
const struct route route_mail_upgrade = {"mail", {&step_mint, &step_terminate, &step_dialogue, NULL}};
/* The client is healthy, and its own TLS is to reach the server. */
const struct route route_mail_repeat = {"mail", {&step_dial, &step_approach, &step_dialogue, NULL}};

/* Verdicts. */
const struct route route_upgrade = {
    "upgrade", {&step_originate, &step_mint, &step_terminate, &step_overhear, &step_carry, NULL}};
/* The same, where requests get fields of ours: what is said inside is read. */
const struct route route_upgrade_http = {
    "upgrade", {&step_originate, &step_mint, &step_terminate, &step_within, &step_request, NULL}};
const struct route route_tunnel = {"tunnel", {&step_send_hello, &step_server_hello, &step_relay, NULL}};
/* A tunnel that never was TLS. */
const struct route route_pass = {"pass", {&step_relay, NULL}};
/* After plain text that both sides have ended by switching to another protocol, or that holds nothing more to
 * look at. */
const struct route route_carry = {"carry", {&step_carry, NULL}};
const struct route route_block = {"block", {&step_refuse, NULL}};
/* The same, for a person to see. */
const struct route route_page = {"page", {&step_mint, &step_terminate, &step_page, NULL}};

static const struct way_in fronts[] = {
    [TF_KIND_CONNECT] = {&route_connect, &tf_front_http},
    [TF_KIND_SNI] = {&route_sni, &tf_front_tls},
    [TF_KIND_SOCKS5] = {&route_connect, &tf_front_socks5},
    [TF_KIND_TRANSPARENT] = {&route_transparent, &tf_front_tls},
};

static const struct way_in forward_fronts[] = {
    [TF_PROTOCOL_TLS] = {&route_forward, &tf_front_tls},
    [TF_PROTOCOL_HTTP] = {&route_forward_http, &tf_front_http},
    [TF_PROTOCOL_SMTP] = {&route_forward, &tf_front_smtp},
    [TF_PROTOCOL_IMAP] = {&route_forward, &tf_front_imap},
    [TF_PROTOCOL_POP3] = {&route_forward, &tf_front_pop3},
};

const struct way_in *way_in_of(const struct tf_listener *listener)
{
    return listener->kind == TF_KIND_FORWARD ? &forward_fronts[listener->protocol] : &fronts[listener->kind];
}
