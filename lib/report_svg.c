/* The pictures of a report's page; see report.h. Colours and fonts are those
 * of the page (report_html.c), so that they follow it into the dark and onto
 * paper; each picture says in its title what it shows. */
#include "report.h"

#include <string.h>

enum {
    /* the burn-down: a line over an area */
    LINE_WIDTH = 720,
    LINE_HEIGHT = 220,
    LEFT = 44,
    RIGHT = 708,
    TOP = 14,
    BOTTOM = 186,
    /* bars with their label above them */
    BARS_WIDTH = 440,
    BARS_MAX = 10,
    ROW_HEIGHT = 38,
    BAR_TOP = 18,
    BAR_HEIGHT = 12,
    NUMBER_WIDTH = 70 /* behind a bar */
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

static void open_svg(struct tf_report_sink *to, uint64_t width, uint64_t height)
{
    tf_report_make_room(to);
    put(to, "<svg role=\"img\" viewBox=\"0 0 ");
    put_number(to, width);
    put(to, " ");
    put_number(to, height);
    put(to, "\"><title>");
}

static void open_text(struct tf_report_sink *to, const char *class, uint64_t x, uint64_t y)
{
    put(to, "<text class=\"");
    put(to, class);
    put(to, "\"");
    put_attribute(to, "x", x);
    put_attribute(to, "y", y);
    put(to, ">");
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

static uint64_t x_of(const struct tf_report *report, size_t i)
{
    return report->day_count > 1 ? LEFT + part(i, report->day_count - 1, RIGHT - LEFT) : RIGHT;
}

static void put_grid(struct tf_report_sink *to, uint64_t scale)
{
    for (uint64_t i = 0; i <= 2; i++) {
        uint64_t y = BOTTOM - part(i, 2, BOTTOM - TOP);
        put(to, "<line class=\"grid\"");
        put_attribute(to, "x1", LEFT);
        put_attribute(to, "x2", RIGHT);
        put_attribute(to, "y1", y);
        put_attribute(to, "y2", y);
        put(to, "/>");
        open_text(to, "end", LEFT - 8, y + 4);
        put_number(to, scale / 2 * i);
        put(to, "</text>");
    }
}

static void put_points(struct tf_report_sink *to, const struct tf_report *report, uint64_t scale)
{
    for (size_t i = 0; i < report->day_count; i++) {
        tf_report_make_room(to);
        put_number(to, x_of(report, i));
        put(to, ",");
        put_number(to, BOTTOM - part(report->days[i].left, scale, BOTTOM - TOP));
        put(to, " ");
    }
}

static void put_day_label(struct tf_report_sink *to, const struct tf_report *report, size_t i,
                          const char *class)
{
    open_text(to, class, x_of(report, i), BOTTOM + 20);
    tf_put_report_day(&to->w, report->days[i].day);
    put(to, "</text>");
}

void tf_report_put_burn_down_svg(struct tf_report_sink *to, const struct tf_report *report)
{
    if (report->day_count == 0)
        return;
    const struct tf_report_day *last = &report->days[report->day_count - 1];
    uint64_t scale = scale_of(most_left(report));
    open_svg(to, LINE_WIDTH, LINE_HEIGHT);
    put(to, "Clients left to fix, day by day: ");
    put_number(to, report->days[0].left);
    put(to, " on ");
    tf_put_report_day(&to->w, report->days[0].day);
    put(to, ", ");
    put_number(to, last->left);
    put(to, " on ");
    tf_put_report_day(&to->w, last->day);
    put(to, "</title>");
    put_grid(to, scale);
    put(to, "<polygon class=\"area\" points=\"");
    put_points(to, report, scale);
    put_number(to, RIGHT);
    put(to, ",");
    put_number(to, BOTTOM);
    put(to, " ");
    put_number(to, x_of(report, 0));
    put(to, ",");
    put_number(to, BOTTOM);
    put(to, "\"/><polyline class=\"line\" points=\"");
    put_points(to, report, scale);
    put(to, "\"/><circle class=\"dot\" r=\"4\"");
    put_attribute(to, "cx", RIGHT);
    put_attribute(to, "cy", BOTTOM - part(last->left, scale, BOTTOM - TOP));
    put(to, "/>");
    if (report->day_count > 1)
        put_day_label(to, report, 0, "start");
    put_day_label(to, report, report->day_count - 1, "end");
    put(to, "</svg>\n");
}

/* --- Bars. --- */

struct bar {
    const char *label;
    uint64_t number;
};

static void put_bars(struct tf_report_sink *to, const char *title, const struct bar *bars, size_t n)
{
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = bars[i].number > most ? bars[i].number : most;
    open_svg(to, BARS_WIDTH, n * ROW_HEIGHT);
    put(to, title);
    put(to, "</title>");
    for (size_t i = 0; i < n; i++) {
        uint64_t width = part(bars[i].number, most, BARS_WIDTH - NUMBER_WIDTH);
        width = width < 2 ? 2 : width;
        tf_report_make_room(to);
        open_text(to, "label", 0, i * ROW_HEIGHT + BAR_TOP - 5);
        tf_put_html(&to->w, bars[i].label);
        put(to, "</text><rect class=\"bar\" x=\"0\" rx=\"2\"");
        put_attribute(to, "y", i * ROW_HEIGHT + BAR_TOP);
        put_attribute(to, "width", width);
        put_attribute(to, "height", BAR_HEIGHT);
        put(to, "/>");
        open_text(to, "number", width + 6, i * ROW_HEIGHT + BAR_TOP + BAR_HEIGHT - 1);
        put_number(to, bars[i].number);
        put(to, "</text>");
    }
    put(to, "</svg>\n");
}

void tf_report_put_stacks_svg(struct tf_report_sink *to, const struct tf_report *report)
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
    put_bars(to, "Clients left to fix, by software", bars, n);
}

void tf_report_put_areas_svg(struct tf_report_sink *to, const struct tf_report *report)
{
    struct bar bars[TF_M365_AREAS + 1];
    size_t n = 0;
    for (; n < report->area_count; n++)
        bars[n] = (struct bar){tf_report_area_title(report->areas[n].is_m365, report->areas[n].area),
                               tf_report_sum(report->areas[n].counts)};
    put_bars(to, "Connections by area of Microsoft 365", bars, n);
}
