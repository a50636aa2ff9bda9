/* The pages of the admin socket: which there are, and what each answers. */
#ifndef ADMIN_PAGES_H
#define ADMIN_PAGES_H

#include "admin.h"
#include "admin_request.h"

/* A response. */
struct admin_answer {
    unsigned status;
    const char *type;   /* Content-Type */
    const char *fields; /* further header fields, each with its line end */
    char *body;         /* to be freed */
    size_t size;
};

/* Makes the answer to a request that can be answered. False: out of memory. */
bool admin_answer_make(struct admin_answer *a, const struct admin_source *source,
                       const struct admin_request *r);
/* A status with a sentence, which ends with a newline. */
bool admin_answer_say(struct admin_answer *a, unsigned status, const char *sentence);
void admin_answer_free(struct admin_answer *a);
/* Its status line and header fields. */
enum { ADMIN_HEAD_MAX = 1024 };
void admin_put_head(struct tf_writer *w, const struct admin_answer *a);

#endif
