/* Why a session was refused or ended, as one closed set; see reasons.def. */
#ifndef TF_REASONS_H
#define TF_REASONS_H

#include <stdint.h>

/* event.action of a record (CONTRACT section 4). */
enum tf_event {
    TF_EVENT_NONE,
    TF_EVENT_VERSION_BLOCKED,
    TF_EVENT_VERSION_WOULD_BLOCK, /* never a row's own: a monitored session's, whatever the reason */
    TF_EVENT_SERVER_BELOW_FLOOR,
    TF_EVENT_NOT_TLS,
    TF_EVENT_MALFORMED,
    TF_EVENT_ACCESS_DENIED,
    TF_EVENT_VERIFY_FAILED,
    TF_EVENT_UPGRADED, /* never a row's own: an upgraded session's, which has no reason */
    TF_EVENT_COUNT
};

enum tf_reason {
#define REASON(name, code, action, http, proxy_error, alert, sentence, advice) TF_REASON_##name,
#include "reasons.def"
#undef REASON
    TF_REASON_COUNT
};

/* One row of reasons.def. */
struct tf_reason_info {
    const char *code;
    enum tf_event event;
    uint16_t http_status;
    const char *proxy_error;
    uint8_t alert;
    const char *sentence;
    const char *advice;
};

/* Never NULL; the row lives as long as the program. */
const struct tf_reason_info *tf_reason_info(enum tf_reason reason);
const char *tf_event_name(enum tf_event event); /* `tls-version-blocked`; "" for TF_EVENT_NONE */

#endif
