/* `tlsfloor report`: its arguments, and where what it reports on is found. */
#include "clock.h"
#include "conf_load.h"
#include "inventory_store.h"
#include "report.h"
#include "report_read.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum exit_code { FINE = 0, UNREADABLE = 1, USAGE = 2 };

enum {
    CLIENTS_MAX = 1000000, /* about 1 KiB each */
    DESTINATIONS_MAX = 64, /* of each */
    ERROR_SIZE = 512
};

struct call {
    struct report_options options;
    const char *conf_file; /* NULL: the usual one, if it is there */
    struct conf *conf;     /* NULL: there is none, or it cannot be used */
    struct report_file *files;
    size_t file_count;
    struct roster *roster;
    struct tf_report_input input;
};

static const struct option long_options[] = {
    {"format", required_argument, NULL, 'f'}, {"floor", required_argument, NULL, 'F'},
    {"since", required_argument, NULL, 's'},  {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
};

static enum exit_code usage(FILE *to, enum exit_code code)
{
    fprintf(to, "usage: tlsfloor report " REPORT_ARGUMENTS "\n"
                "    TIME: an age as 30d or 12h, a day as 2026-11-01, or a time as 2026-11-01T08:00:00Z\n");
    return code;
}

/* --- Arguments. Each of these says what is wrong, and returns false. --- */

static bool take_format(const char *text, enum report_format *format)
{
    static const char *const names[] = {"text", "json", "csv", "html"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *format = (enum report_format)i;
            return true;
        }
    fprintf(stderr, "tlsfloor report: there is no format '%s'; write text, json, csv or html\n", text);
    return false;
}

static bool take_floor(const char *text, uint16_t *floor)
{
    *floor = strcmp(text, "1.3") == 0 ? TF_TLS13 : TF_TLS12;
    if (*floor == TF_TLS13 || strcmp(text, "1.2") == 0)
        return true;
    fprintf(stderr, "tlsfloor report: the floor is 1.2 or 1.3, not '%s'\n", text);
    return false;
}

/* So long before now: `30d`, `12h`. */
static bool parse_age(struct tf_text text, int64_t now, int64_t *us)
{
    static const int64_t HOUR_US = INT64_C(3600) * 1000000;
    uint64_t number;
    char unit = text.n > 1 ? text.p[text.n - 1] : '\0';
    if ((unit != 'd' && unit != 'h') ||
        !tf_text_number((struct tf_text){text.p, text.n - 1}, 100000, &number))
        return false;
    *us = now - (int64_t)number * (unit == 'd' ? 24 : 1) * HOUR_US;
    return true;
}

bool report_since(const char *text, int64_t now_us, int64_t *since_us)
{
    return parse_age(tf_text_of(text), now_us, since_us) || tf_time_parse(tf_text_of(text), since_us);
}

static bool take_since(const char *text, int64_t now, int64_t *us)
{
    if (report_since(text, now, us))
        return true;
    fprintf(stderr,
            "tlsfloor report: '%s' is no time; write 30d, 12h, a day as 2026-11-01, or a time as "
            "2026-11-01T08:00:00Z\n",
            text);
    return false;
}

static bool take_option(int option, struct call *call)
{
    switch (option) {
    case 'f':
        return take_format(optarg, &call->options.format);
    case 'F':
        return take_floor(optarg, &call->options.floor);
    case 's':
        return take_since(optarg, call->options.now_us, &call->options.since_us);
    case 'c':
        call->conf_file = optarg;
        return true;
    default: /* getopt has said what is wrong */
        usage(stderr, USAGE);
        return false;
    }
}

static unsigned terminal_width(void)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    uint64_t width;
    if (columns != NULL && tf_text_number(tf_text_of(columns), 1000, &width))
        return (unsigned)width;
    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* --- The configuration: for exceptions, and to know where the logs are. --- */

/* Says what is wrong with it only if it was asked for, or nothing else is there to go by. */
static bool load_conf(struct call *call, bool is_needed)
{
    char *errors = NULL;
    size_t n;
    const char *file = call->conf_file != NULL ? call->conf_file : conf_default_file();
    bool is_asked_for = call->conf_file != NULL || is_needed;
    FILE *to = open_memstream(&errors, &n);
    if (to == NULL)
        return false;
    if (is_asked_for || access(file, R_OK) == 0)
        call->conf = conf_load(file, to);
    fclose(to);
    if (call->conf == NULL && is_asked_for)
        fputs(errors, stderr);
    free(errors);
    call->options.conf = call->conf != NULL ? &call->conf->tf : NULL;
    return call->conf != NULL || !is_asked_for;
}

/* Whether a sink or store of the configuration is a file, and there. */
static bool is_file(const char *name)
{
    static const char *const words[] = {"-", "off", "memory"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i]) == 0)
            return false;
    return !tf_text_begins(tf_text_of(name), "syslog:") && access(name, F_OK) == 0;
}

/* What there is to read where nothing was named: the inventory, else the logs. Returns how many of names[2].
 */
static size_t default_files(const struct tf_conf *conf, const char *names[2])
{
    size_t n = 0;
    if (is_file(conf->inventory.file))
        names[n++] = conf->inventory.file;
    else if (is_file(conf->log.block))
        names[n++] = conf->log.block;
    if (n > 0 && names[0] == conf->log.block && is_file(conf->log.access))
        names[n++] = conf->log.access;
    return n;
}

/* --- What is reported on. --- */

static bool is_any(const struct call *call, enum report_kind kind)
{
    for (size_t i = 0; i < call->file_count; i++)
        if (call->files[i].kind == kind)
            return true;
    return false;
}

/* Those that cannot be read are left out. */
static enum exit_code open_files(struct call *call, const char *const *names, size_t n)
{
    enum exit_code code = FINE;
    call->files = calloc(n, sizeof *call->files);
    if (call->files == NULL)
        return UNREADABLE;
    for (size_t i = 0; i < n; i++) {
        struct report_file *file = &call->files[call->file_count];
        report_file_open(file, names[i]);
        if (file->kind != REPORT_UNREADABLE) {
            call->file_count++;
            continue;
        }
        report_file_close(file);
        code = UNREADABLE;
    }
    qsort(call->files, call->file_count, sizeof *call->files, report_file_order);
    return code;
}

static enum exit_code read_inventory(struct call *call)
{
    char error[ERROR_SIZE];
    if (call->file_count > 1) {
        fputs("tlsfloor report: an inventory is read alone, without logs and other inventories\n", stderr);
        return USAGE;
    }
    call->roster = inventory_read(call->files[0].name, error, sizeof error);
    if (call->roster == NULL) {
        fprintf(stderr, "tlsfloor report: %s: %s\n", call->files[0].name, error);
        return UNREADABLE;
    }
    call->input.files = 1;
    call->input.is_inventory = true;
    call->input.sightings = roster_count(call->roster);
    return FINE;
}

static enum exit_code read_logs(struct call *call)
{
    call->roster = roster_new(CLIENTS_MAX, DESTINATIONS_MAX);
    if (call->roster == NULL)
        return UNREADABLE;
    bool ok = report_read(call->roster, &call->input, call->files, call->file_count);
    call->input.is_full = roster_count(call->roster) == CLIENTS_MAX;
    return ok ? FINE : UNREADABLE;
}

static enum exit_code report(struct call *call, const char *const *names, size_t n)
{
    enum exit_code code = open_files(call, names, n);
    if (call->file_count == 0)
        return code;
    enum exit_code read = (is_any(call, REPORT_INVENTORY) ? read_inventory : read_logs)(call);
    if (call->roster == NULL)
        return read;
    call->options.input = &call->input;
    call->options.width = terminal_width();
    if (!report_write(stdout, call->roster, &call->options)) {
        fputs("tlsfloor report: the report cannot be written\n", stderr);
        return UNREADABLE;
    }
    return read != FINE ? read : code;
}

static enum exit_code report_defaults(struct call *call)
{
    const char *names[2];
    size_t n = default_files(&call->conf->tf, names);
    if (n > 0)
        return report(call, names, n);
    fprintf(stderr,
            "tlsfloor report: %s keeps neither an inventory nor a block log in a file that is there; set "
            "[inventory] "
            "file or [log] block, or name the logs: tlsfloor report FILE..., - for standard input\n",
            call->conf->file);
    return USAGE;
}

static void call_fini(struct call *call)
{
    for (size_t i = 0; i < call->file_count; i++)
        report_file_close(&call->files[i]);
    free(call->files);
    roster_free(call->roster);
    if (call->conf != NULL)
        conf_unref(call->conf);
}

int report_main(int argc, char **argv)
{
    struct call call = {.options = {.floor = TF_TLS12, .now_us = clock_wall_us()}};
    int option;
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, FINE);
        if (!take_option(option, &call))
            return USAGE;
    }
    bool has_names = optind < argc;
    enum exit_code code = UNREADABLE;
    if (load_conf(&call, !has_names))
        code = has_names ? report(&call, (const char *const *)argv + optind, (size_t)(argc - optind))
                         : report_defaults(&call);
    call_fini(&call);
    return code;
}
