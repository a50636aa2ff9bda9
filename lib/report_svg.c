/* The pictures of a report's page; see report.h. Colours and fonts are those
 * of the page (report_html.c), so that they follow it into the dark and onto
 * paper. Lines and areas are as wide as the page lets them be; text is not
 * scaled with them, so that it can be read on a phone and on a desk alike. */
#include "html.h"
#include "report.h"

enum {
    /* the burn-down: each day is a step of a line over an area */
    PLOT_WIDTH = 1000, /* of what is scaled */
    PLOT_HEIGHT = 170,
    PLOT_TOP = 20, /* of what is not: above it stands the end of the scale */
    PICTURE_HEIGHT = 214,
    DAYS_MIN = 14, /* so that a single day is no wall */
    /* bars with their label and number above them */
    BAR_WIDTH = 1000,
    BARS_MAX = 10,
    LABEL_MAX = 1024
};

static void put(struct tf_report_sink *to, const char *text)
{
    tf_put_text(&to->w, text);
}

static void put_number(struct tf_report_sink *to, uint64_t number)
{
    tf_put_u64(&to->w, number);
}

/* ` name="value"` */
static void put_attribute(struct tf_report_sink *to, const char *name, uint64_t value)
{
    put(to, " ");
    put(to, name);
    put(to, "=\"");
    put_number(to, value);
    put(to, "\"");
}

/* How far number of max is along a length. */
static uint64_t part(uint64_t number, uint64_t max, uint64_t length)
{
    return max > 0 ? (uint64_t)((double)number / (double)max * (double)length + 0.5) : 0;
}

/* --- The burn-down. --- */

/* The end of the scale: 1, 2 or 5 with zeros behind it, and even, so that there is a middle. */
static uint64_t scale_of(uint64_t most)
{
    uint64_t power = 1;
    while (most > 10 * power)
        power *= 10;
    uint64_t scale = most <= 2 * power ? 2 * power : most <= 4 * power ? 4 * power : 10 * power;
    return scale;
}

static uint64_t most_left(const struct tf_report *report)
{
    uint64_t most = 0;
    for (size_t i = 0; i < report->day_count; i++)
        most = report->days[i].left > most ? report->days[i].left : most;
    return most;
}

/* Where the i-th day begins; the last one ends at the right. */
static uint64_t x_of(const struct tf_report *report, size_t i)
{
    size_t slots = report->day_count < DAYS_MIN ? DAYS_MIN : report->day_count;
    return part(slots - report->day_count + i, slots, PLOT_WIDTH);
}

static uint64_t y_of(uint64_t number, uint64_t scale)
{
    return PLOT_HEIGHT - part(number, scale, PLOT_HEIGHT);
}

static void put_point(struct tf_report_sink *to, uint64_t x, uint64_t y)
{
    put_number(to, x);
    put(to, ",");
    put_number(to, y);
    put(to, " ");
}

static void put_steps(struct tf_report_sink *to, const struct tf_report *report, uint64_t scale)
{
    for (size_t i = 0; i < report->day_count; i++) {
        uint64_t y = y_of(report->days[i].left, scale);
        tf_report_make_room(to);
        put_point(to, x_of(report, i), y);
        put_point(to, x_of(report, i + 1), y);
    }
}

static void put_plot(struct tf_report_sink *to, const struct tf_report *report, uint64_t scale)
{
    put(to, "<svg");
    put_attribute(to, "y", PLOT_TOP);
    put_attribute(to, "height", PLOT_HEIGHT);
    put(to, " preserveAspectRatio=\"none\" viewBox=\"0 0 ");
    put_number(to, PLOT_WIDTH);
    put(to, " ");
    put_number(to, PLOT_HEIGHT);
    put(to, "\">");
    for (uint64_t i = 0; i <= 2; i++) {
        put(to, "<line class=\"grid\" x1=\"0\"");
        put_attribute(to, "x2", PLOT_WIDTH);
        put_attribute(to, "y1", y_of(i, 2));
        put_attribute(to, "y2", y_of(i, 2));
        put(to, "/>");
    }
    put(to, "<polygon class=\"area\" points=\"");
    put_point(to, x_of(report, 0), PLOT_HEIGHT);
    put_steps(to, report, scale);
    put_point(to, PLOT_WIDTH, PLOT_HEIGHT);
    put(to, "\"/><polyline class=\"line\" points=\"");
    put_steps(to, report, scale);
    put(to, "\"/></svg>");
}

static void put_text(struct tf_report_sink *to, const char *place, uint64_t y)
{
    put(to, "<text ");
    put(to, place);
    put_attribute(to, "y", y);
    put(to, ">");
}

/* Numbers above their lines, and the days at both ends of the axis. */
static void put_axes(struct tf_report_sink *to, const struct tf_report *report, uint64_t scale)
{
    static const char left[] = "x=\"0\"", right[] = "class=\"end\" x=\"100%\"";
    const size_t days = report->day_count;
    const int32_t last = report->days[days - 1].day;
    for (uint64_t i = 1; i <= 2; i++) {
        put_text(to, left, PLOT_TOP + y_of(i, 2) - 5);
        put_number(to, scale / 2 * i);
        put(to, "</text>");
    }
    put_text(to, left, PICTURE_HEIGHT - 6);
    tf_put_report_day(&to->w, days < DAYS_MIN ? last - (DAYS_MIN - 1) : report->days[0].day);
    put(to, "</text>");
    put_text(to, right, PICTURE_HEIGHT - 6);
    tf_put_report_day(&to->w, last);
    put(to, "</text>");
}

void tf_report_draw_burn_down(struct tf_report_sink *to, const struct tf_report *report)
{
    if (report->day_count == 0)
        return;
    const struct tf_report_day *last = &report->days[report->day_count - 1];
    uint64_t scale = scale_of(most_left(report));
    tf_report_make_room(to);
    put(to, "<svg role=\"img\"");
    put_attribute(to, "height", PICTURE_HEIGHT);
    put(to, "><title>Clients left to fix, day by day: ");
    put_number(to, report->days[0].left);
    put(to, " on ");
    tf_put_report_day(&to->w, report->days[0].day);
    put(to, ", ");
    put_number(to, last->left);
    put(to, " on ");
    tf_put_report_day(&to->w, last->day);
    put(to, "</title>");
    put_plot(to, report, scale);
    put_axes(to, report, scale);
    put(to, "</svg>\n");
}

/* --- Bars. --- */

struct bar {
    const char *label;
    uint64_t number;
};

static void put_bars(struct tf_report_sink *to, const struct bar *bars, size_t n)
{
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = bars[i].number > most ? bars[i].number : most;
    put(to, "<ul class=\"bars\">\n");
    for (size_t i = 0; i < n; i++) {
        tf_report_make_room(to);
        put(to, "<li><span>");
        tf_put_html_text(&to->w, bars[i].label, LABEL_MAX);
        put(to, "</span><b>");
        put_number(to, bars[i].number);
        put(to, "</b><svg aria-hidden=\"true\" preserveAspectRatio=\"none\" viewBox=\"0 0 ");
        put_number(to, BAR_WIDTH);
        put(to, " 1\"><rect height=\"1\"");
        put_attribute(to, "width", part(bars[i].number, most, BAR_WIDTH));
        put(to, "/></svg></li>\n");
    }
    put(to, "</ul>\n");
}

void tf_report_draw_stacks(struct tf_report_sink *to, const struct tf_report *report)
{
    struct bar bars[BARS_MAX + 1];
    size_t n = 0;
    uint64_t others = 0;
    for (size_t i = 0; i < report->stack_count; i++) {
        const struct tf_report_stack *stack = &report->stacks[i];
        if (stack->left > 0 && n < BARS_MAX)
            bars[n++] = (struct bar){tf_report_family_name(stack->family), stack->left};
        else
            others += stack->left;
    }
    if (others > 0)
        bars[n++] = (struct bar){"others", others};
    put_bars(to, bars, n);
}

void tf_report_draw_areas(struct tf_report_sink *to, const struct tf_report *report)
{
    struct bar bars[TF_M365_AREAS + 1];
    size_t n = 0;
    for (; n < report->area_count; n++)
        bars[n] = (struct bar){tf_report_area_title(report->areas[n].is_m365, report->areas[n].area),
                               tf_report_sum(report->areas[n].counts)};
    put_bars(to, bars, n);
}
