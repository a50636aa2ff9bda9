/* The table of reasons; see reasons.h. */
#include "reasons.h"

static const struct tf_reason_info infos[] = {
#define REASON(name, code, action, http, proxy_error, alert, sentence, advice)                               \
    {code, action, http, proxy_error, alert, sentence, advice},
#include "reasons.def"
#undef REASON
};

const struct tf_reason_info *tf_reason_info(enum tf_reason reason)
{
    return &infos[reason < TF_REASON_COUNT ? reason : TF_REASON_NONE];
}

const char *tf_event_name(enum tf_event event)
{
    switch (event) {
    case TF_EVENT_VERSION_BLOCKED:
        return "tls-version-blocked";
    case TF_EVENT_VERSION_WOULD_BLOCK:
        return "tls-version-would-block";
    case TF_EVENT_SERVER_BELOW_FLOOR:
        return "tls-server-below-floor";
    case TF_EVENT_NOT_TLS:
        return "not-tls";
    case TF_EVENT_MALFORMED:
        return "malformed";
    case TF_EVENT_ACCESS_DENIED:
        return "access-denied";
    case TF_EVENT_VERIFY_FAILED:
        return "upstream-verify-failed";
    case TF_EVENT_UPGRADED:
        return "tls-upgraded";
    case TF_EVENT_NONE:
    case TF_EVENT_COUNT:
        break;
    }
    return "";
}
