/* The endpoint web service, https://endpoints.office.com: its addresses, and
 * its manners. Every call names the machine by a GUID that is made once and
 * kept; a set is asked for only when its version has moved. */
#ifndef ENDPOINTS_SERVICE_H
#define ENDPOINTS_SERVICE_H

#include "fetch.h"

#define ENDPOINTS_VERSION_SIZE 11 /* YYYYMMDDNN, and a NUL */

struct endpoints_service {
    const struct tf_conf *conf;
    const struct tls *tls;
    char *error; /* a sentence, when a call answers false */
    size_t error_size;
    char client_id[37]; /* of endpoints_service_identify */
};

/* Reads the GUID from the file at `path`, or makes one and writes it there. */
bool endpoints_service_identify(struct endpoints_service *s, const char *path);
/* The newest version of the instance's set. */
bool endpoints_service_version(const struct endpoints_service *s, const char *instance,
                               char version[ENDPOINTS_VERSION_SIZE]);
/* The set itself, of all service areas; body to be freed. */
bool endpoints_service_sets(const struct endpoints_service *s, const char *instance, struct fetched *out);
/* Whatever is at a URL, if it is there: any status but 200 is an error. */
bool endpoints_service_get(const struct endpoints_service *s, const char *url, struct fetched *out);

#endif
