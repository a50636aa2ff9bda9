/* From a roster to a report (lib/report.h): who is listed, in which order,
 * and what the numbers come to. */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include "../lib/report.h"
#include "report.h"

struct report_view;

/* NULL: out of memory. Points into the roster and the configuration, which must stay as they are. */
struct report_view *report_view_new(const struct roster *roster, const struct report_options *options);
const struct tf_report *report_view_of(const struct report_view *view);
void report_view_free(struct report_view *view);

#endif
