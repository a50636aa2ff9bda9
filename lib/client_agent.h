/* Recognising a client by what it says of itself; see client_agents.def. */
#ifndef TF_CLIENT_AGENT_H
#define TF_CLIENT_AGENT_H

#include "client_signature.h"

/* By its User-Agent. The family is TF_CLIENT_FAMILY_UNKNOWN, and the clue all the same one, where that is of
 * software that does better than TLS 1.1. */
struct tf_client_clue tf_client_agent_find(const char *user_agent);
/* By its name in EHLO or HELO. */
struct tf_client_clue tf_client_greeting_find(const char *greeting);
/* Whether the User-Agent is that of a program in which a person reads pages. */
bool tf_client_agent_is_browser(const char *user_agent);

#endif
