/* What `tlsfloor remediate` says of a family, on standard output. Private to
 * remediate.c, which reads the arguments and writes the files. */
#ifndef REMEDIATE_PRINT_H
#define REMEDIATE_PRINT_H

#include "../lib/client.h"

void remediate_print(enum tf_client_family family);
void remediate_print_json(enum tf_client_family family); /* one object, on one line */
void remediate_print_row(enum tf_client_family family);  /* of the list of families */

#endif
