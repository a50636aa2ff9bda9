/* Between ca_main.c, which reads the arguments of `tlsfloor ca`, ca_show.c,
 * which describes a CA, and ca_import.c, which tells how clients come to
 * trust it. Private to these. */
#ifndef CA_COMMAND_H
#define CA_COMMAND_H

#include "ca.h"
#include "conf_load.h"

/* How the certificate is to be written. */
enum ca_format { CA_PEM, CA_DER };

/* A kind of client, and how it is told to trust the CA. */
struct ca_import {
    const char *name; /* `windows` */
    const char *file; /* what the certificate's file is best called */
    enum ca_format format;
    const char *text; /* to be printed by ca_print_import */
};

/* By name, or by one of its other names. NULL: there is none, with a sentence in error. */
const struct ca_import *ca_find_import(const char *name, char *error, size_t size);
/* The names, one behind the other. */
void ca_list_imports(FILE *to);
/* The commands, for a certificate in `file`. */
void ca_print_import(const struct ca_import *import, const char *file);

/* Describes the CA of a configuration on standard output. False: it does not cover what the rules may
 * upgrade. */
bool ca_print(const struct ca *ca, const struct conf *conf);

#endif
