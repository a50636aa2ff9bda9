/* The dashboard's files, as they are in this program. */
#ifndef WEB_H
#define WEB_H

#include "../lib/text.h"

struct web_file {
    const char *type; /* Content-Type */
    struct tf_text content;
};

/* By the path of its address. False: there is no such file. */
bool web_find(struct tf_text path, struct web_file *file);

#endif
