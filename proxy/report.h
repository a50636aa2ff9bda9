/* `tlsfloor report`, and the same reports for the dashboard: one row per
 * client that is below a floor, what to fix first on top. */
#ifndef REPORT_H
#define REPORT_H

#include "../lib/conf.h"
#include "../lib/report.h"
#include "roster.h"

#include <stdio.h>

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_CSV, REPORT_HTML };

struct report_options {
    enum report_format format;
    uint16_t floor;   /* TF_TLS12: who is left; TF_TLS13: who would be blocked at that floor */
    int64_t since_us; /* only clients seen since; 0: all */
    int64_t now_us;
    const struct tf_conf *conf;          /* for the exceptions; NULL: they are not known */
    unsigned width;                      /* of the terminal, for text; 0: none */
    const struct tf_report_input *input; /* what was read for it; NULL: it comes from the running gateway */
};

/* Writes the report. JSON: one object; see conf/report.schema.json. False: it could not be written. */
bool report_write(FILE *to, const struct roster *roster, const struct report_options *options);
/* What --since, and the dashboard's query, say: `2026-11-01`, a time as RFC 3339 has it, or how long ago,
 * `30d` or `12h`. False: none of these. */
bool report_since(const char *text, int64_t now_us, int64_t *since_us);

#define REPORT_ARGUMENTS "[--format text|json|csv|html] [--floor 1.2|1.3] [--since TIME] [-c FILE] [LOG...]"
int report_main(int argc, char **argv);

#endif
