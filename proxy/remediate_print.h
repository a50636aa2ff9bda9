/* What `tlsfloor remediate` says of a family. Private to
 * remediate.c, which reads the arguments and writes the files. */
#ifndef REMEDIATE_PRINT_H
#define REMEDIATE_PRINT_H

#include "../lib/client.h"
#include <stdio.h>

void remediate_print(enum tf_client_family family);
void remediate_print_json(enum tf_client_family family);          /* one object, on one line */
void remediate_print_row(FILE *to, enum tf_client_family family); /* of the list of families */

#endif
