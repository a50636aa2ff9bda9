/* What the gateway is and does at the moment, as JSON: /api/status. */
#ifndef STATUS_H
#define STATUS_H

#include "stage.h"

struct status {
    const struct stage *stage;
    const struct totals *totals;
    const struct tf_addr *admin; /* where it is asked */
    int64_t now_us, started_us;  /* UTC */
    bool is_draining;
};

/* One object; see conf/status.schema.json. False: out of memory. */
bool status_write(FILE *to, const struct status *s);

#endif
