/* The snapshots of conf/m365/, as they are in this program. */
#ifndef ENDPOINTS_BUILTIN_H
#define ENDPOINTS_BUILTIN_H

#include "../lib/conf.h"
#include "../lib/text.h"

/* The instance as the web service spells it: `USGovDoD`. GCC is served by `Worldwide`. */
const char *endpoints_instance(enum tf_instance instance);
/* Its snapshot, a whole answer of the web service. */
struct tf_text endpoints_builtin(enum tf_instance instance);

/* When they were saved: 2025-12-01. To be set when conf/m365/ is brought up to date. */
#define ENDPOINTS_BUILTIN_AS_OF_S INT64_C(1764547200)

#endif
