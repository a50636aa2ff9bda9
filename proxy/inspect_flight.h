/* One captured flight to a JSON object; the command around it is inspect.c. */
#ifndef INSPECT_FLIGHT_H
#define INSPECT_FLIGHT_H

#include "digest.h"
#include <jansson.h>

/* Which side sent a flight. A guess goes by the first record. */
enum inspect_side { INSPECT_GUESS, INSPECT_CLIENT, INSPECT_SERVER };

struct inspector {
    struct digests digests;
    uint8_t *scratch; /* TF_HELLO_MAX, which is more than any ServerHello needs */
    char *text;
};

void inspector_init(struct inspector *in);
void inspector_fini(struct inspector *in);
/* Adds to `out` what the flight says. */
void inspect_flight(struct inspector *in, enum inspect_side side, struct tf_span flight, json_t *out);

/* Passes p on; ends the program if it is NULL, since a command without memory has nothing useful left to do.
 */
void *inspect_need(void *p);
/* Sets a key of the object, and takes over the value. */
void inspect_put(json_t *object, const char *key, json_t *value);

#endif
