/* Writes a report of a roster; see report.h. */
#include "report.h"

#include "report_view.h"

enum { WIDTH_UNKNOWN = 100 }; /* of text that goes into a file or a mail */

static void take(void *arg, const char *p, size_t n)
{
    fwrite(p, 1, n, arg);
}

bool report_write(FILE *to, const struct roster *roster, const struct report_options *options)
{
    char buffer[TF_REPORT_ROOM];
    struct tf_report_sink sink = {tf_writer_of(buffer, sizeof buffer), take, to};
    struct report_view *view = report_view_new(roster, options);
    if (view == NULL)
        return false;
    const struct tf_report *report = report_view_of(view);
    switch (options->format) {
    case REPORT_TEXT:
        tf_report_put_text(&sink, report, options->width != 0 ? options->width : WIDTH_UNKNOWN);
        break;
    case REPORT_JSON:
        tf_report_put_json(&sink, report);
        break;
    case REPORT_CSV:
        tf_report_put_csv(&sink, report);
        break;
    case REPORT_HTML:
        tf_report_put_html(&sink, report);
        break;
    }
    report_view_free(view);
    return fflush(to) == 0 && !ferror(to);
}
