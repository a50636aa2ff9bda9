/* Text for terminals, by columns: each character has one. Beyond ASCII it is
 * UTF-8; a byte that is no character which readers see as it is, is '?'. */
#ifndef TF_CELLS_H
#define TF_CELLS_H

#include "bytes.h"

void tf_put_blanks(struct tf_writer *w, size_t n);
void tf_put_shown(struct tf_writer *w, const char *p, size_t n);
/* How many bytes of p[0..n) have room in so many columns. */
size_t tf_cell_fit(const char *p, size_t n, size_t columns);
/* Padded with blanks, or cut, to exactly so many columns. */
void tf_put_cell(struct tf_writer *w, const char *p, size_t n, size_t columns);

#endif
