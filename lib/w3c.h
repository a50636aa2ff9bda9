/* Block records in the W3C extended log file format, with the TLS fields that
 * IIS logs and ours, whose names begin with `x-`. For record.c, which both
 * formats go through, and for whoever begins a file.
 *
 * A value is written as IIS does: `-` where there is none, `+` for a blank;
 * whatever else could be taken for something that it is not is
 * percent-encoded. */
#ifndef TF_W3C_H
#define TF_W3C_H

#include "record.h"

#define TF_W3C_HEAD_MAX 1024

/* What a file begins with: the directives #Software, #Version, #Date and #Fields, a line each. */
void tf_put_w3c_head(struct tf_writer *w, int64_t unix_us);
/* A line without its last three values, */
void tf_put_w3c_row(struct tf_writer *w, const struct tf_facts *facts, const struct tf_record_context *c);
/* and those, with the newline. repeat NULL: one connection, that of the row. */
void tf_put_w3c_repeat(struct tf_writer *w, const struct tf_repeat *repeat);

#endif
