/* OpenMetrics text: families, and their samples with labels. */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

#include "../lib/bytes.h"

/* Rows of one family stand together behind its head. */
struct om_family {
    const char *name; /* of a counter: without `_total` */
    const char *type; /* counter or gauge, as OpenMetrics has them */
    const char *help;
};

void om_put_family(struct tf_writer *w, const struct om_family *family);
/* The name of a sample; then its labels, if any; then its value. */
void om_put_name(struct tf_writer *w, const struct om_family *family);
/* One label, up to om_end_labels. The value is cut to 64 bytes; what is no UTF-8 in it becomes '?'. */
void om_put_label(struct tf_writer *w, bool is_first, const char *name, const char *value);
void om_end_labels(struct tf_writer *w);
/* A whole sample with one label. */
void om_put_labelled(struct tf_writer *w, const struct om_family *family, const char *label, const char *text,
                     uint64_t value);
void om_put_value(struct tf_writer *w, uint64_t value);
void om_put_signed(struct tf_writer *w, int64_t value);
void om_put_milli(struct tf_writer *w, uint64_t thousandths);

#endif
