/* The table of pages and what is behind each; see admin_pages.h. Answers are
 * made whole, in memory, before the first byte goes out. */
#include "admin_pages.h"

#include "../lib/form.h"
#include "clock.h"
#include "events.h"
#include "inventory.h"
#include "metrics.h"
#include "pac.h"
#include "report.h"
#include "web.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_TYPE "text/plain; charset=utf-8"
#define JSON_TYPE "application/json"

/* What pages are made from. */
struct call {
    const struct admin_source *source;
    struct tf_text query;
};

/* Writes the body, and answers the status. Of anything but 200 the body is a sentence. */
struct page {
    const char *path, *type, *fields;
    unsigned (*write)(const struct call *c, FILE *to);
};

static unsigned say(FILE *to, unsigned status, const char *sentence)
{
    fputs(sentence, to);
    return status;
}

/* --- health --- */

static unsigned write_metrics(const struct call *c, FILE *to)
{
    char *text = malloc(METRICS_MAX);
    if (text == NULL)
        return say(to, 503, "out of memory\n");
    struct tf_writer w = tf_writer_of(text, METRICS_MAX);
    c->source->metrics(c->source->arg, &w);
    assert(!w.full);
    fwrite(text, 1, w.len, to);
    free(text);
    return 200;
}

static unsigned write_health(const struct call *c, FILE *to)
{
    (void)c;
    return say(to, 200, "ok\n");
}

static unsigned write_ready(const struct call *c, FILE *to)
{
    bool ready = c->source->ready(c->source->arg);
    return ready ? say(to, 200, "ready\n") : say(to, 503, "draining\n");
}

/* --- API --- */

/* One field of a query. False: there is no such field, or its value is none. */
typedef bool take_field(void *into, const char *name, const char *value);

static bool read_query(struct tf_text query, take_field *take, void *into)
{
    while (query.p != NULL && query.n > 0) {
        struct tf_text field;
        char name[16], value[64];
        if (!tf_form_take(&query, &field, value, sizeof value) || field.n >= sizeof name)
            return false;
        memcpy(name, field.p, field.n);
        name[field.n] = '\0';
        if (!take(into, name, value))
            return false;
    }
    return true;
}

static unsigned write_status(const struct call *c, FILE *to)
{
    c->source->status(c->source->arg, to);
    return 200;
}

static bool take_report_field(void *into, const char *name, const char *value)
{
    struct report_options *o = into;
    if (strcmp(name, "since") == 0)
        return report_since(value, o->now_us, &o->since_us);
    if (strcmp(name, "floor") != 0 || (strcmp(value, "1.2") != 0 && strcmp(value, "1.3") != 0))
        return false;
    o->floor = value[2] == '2' ? TF_TLS12 : TF_TLS13;
    return true;
}

static bool report_inventory(FILE *to, struct inventory *inventory, const struct report_options *o)
{
    bool ok = report_write(to, inventory_lock(inventory), o);
    inventory_unlock(inventory);
    return ok;
}

/* Without an inventory there still are exceptions to report. */
static bool report_nobody(FILE *to, const struct report_options *o)
{
    struct roster *nobody = roster_new(1, 1);
    bool ok = nobody != NULL && report_write(to, nobody, o);
    roster_free(nobody);
    return ok;
}

static unsigned write_report(const struct call *c, FILE *to, enum report_format format)
{
    const struct tf_conf *conf = c->source->conf(c->source->arg);
    struct inventory *inventory = c->source->inventory(c->source->arg);
    struct report_options o = {
        .format = format, .floor = conf->policy.floor, .now_us = clock_wall_us(), .conf = conf};
    if (!read_query(c->query, take_report_field, &o))
        return say(to, 400, "the query may have floor=1.2 or 1.3, and since=2026-11-01, 30d or 12h\n");
    return (inventory != NULL ? report_inventory(to, inventory, &o) : report_nobody(to, &o)) ? 200 : 503;
}

static unsigned write_report_json(const struct call *c, FILE *to)
{
    return write_report(c, to, REPORT_JSON);
}

static unsigned write_clients(const struct call *c, FILE *to)
{
    return write_report(c, to, REPORT_CSV);
}

static bool take_events_field(void *into, const char *name, const char *value)
{
    return strcmp(name, "after") == 0 && tf_text_number(tf_text_of(value), UINT64_MAX, into);
}

static unsigned write_events(const struct call *c, FILE *to)
{
    struct inventory *inventory = c->source->inventory(c->source->arg);
    uint64_t after = 0;
    if (!read_query(c->query, take_events_field, &after))
        return say(to, 400, "the query may have after=NUMBER, the last event that is known\n");
    return events_write(to, inventory, after) ? 200 : say(to, 503, "out of memory\n");
}

static unsigned write_pac(const struct call *c, FILE *to)
{
    const struct tf_conf *conf = c->source->conf(c->source->arg);
    if (!pac_is_known(conf))
        return say(to, 404,
                   "there is no PAC file: name the gateway in [pac] proxy, as browsers can reach it\n");
    return pac_write(to, conf) ? 200 : say(to, 503, "out of memory\n");
}

static const struct page pages[] = {
    {"/api/status", JSON_TYPE, "", write_status},
    {"/api/report", JSON_TYPE, "", write_report_json},
    {"/api/events", JSON_TYPE, "", write_events},
    {"/api/clients.csv", "text/csv; charset=utf-8",
     "Content-Disposition: attachment; filename=\"tlsfloor-clients.csv\"\r\n", write_clients},
    {"/proxy.pac", PAC_TYPE, "", write_pac},
    {"/metrics", METRICS_TYPE, "", write_metrics},
    {"/healthz", TEXT_TYPE, "", write_health},
    {"/readyz", TEXT_TYPE, "", write_ready},
};

/* --- answers --- */

static const struct page *find_page(struct tf_text path)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (tf_text_is(path, pages[i].path))
            return &pages[i];
    return NULL;
}

static void write_answer(struct admin_answer *a, const struct admin_source *source,
                         const struct admin_request *r, FILE *to)
{
    const struct tf_conf *conf = source->conf(source->arg);
    struct tf_text path = admin_request_path(r);
    const struct page *page = find_page(path);
    struct web_file file;
    const char *sentence;
    a->status = admin_request_judge(r, conf->admin_hosts, conf->admin_host_count, &sentence);
    if (a->status != 200) {
        fputs(sentence, to);
    } else if (page != NULL) {
        a->status = page->write(&(struct call){source, admin_request_query(r)}, to);
        a->type = a->status == 200 ? page->type : TEXT_TYPE;
        a->fields = a->status == 200 ? page->fields : "";
    } else if (web_find(path, &file)) {
        a->type = file.type;
        fwrite(file.content.p, 1, file.content.n, to);
    } else {
        a->status = say(to, 404, "there is no such page\n");
    }
}

bool admin_answer_make(struct admin_answer *a, const struct admin_source *source,
                       const struct admin_request *r)
{
    *a = (struct admin_answer){.type = TEXT_TYPE, .fields = ""};
    FILE *to = open_memstream(&a->body, &a->size);
    if (to == NULL)
        return false;
    write_answer(a, source, r, to);
    bool is_whole = !ferror(to);
    if (fclose(to) == 0 && is_whole)
        return true;
    admin_answer_free(a);
    return false;
}

bool admin_answer_say(struct admin_answer *a, unsigned status, const char *sentence)
{
    *a = (struct admin_answer){status, TEXT_TYPE, "", strdup(sentence), strlen(sentence)};
    return a->body != NULL;
}

void admin_answer_free(struct admin_answer *a)
{
    free(a->body);
    a->body = NULL;
}

static const char *status_text(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    default:
        return "Service Unavailable";
    }
}

/* The dashboard loads its own three files and asks the API, and that is all that a browser lets it do,
 * whatever a name or a User-Agent that it shows may hold. */
#define FIELDS                                                                                               \
    "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"            \
    "Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"                          \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "                     \
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "                              \
    "frame-ancestors 'none'\r\nConnection: close\r\n\r\n"

void admin_put_head(struct tf_writer *w, const struct admin_answer *a)
{
    tf_put_text(w, "HTTP/1.1 ");
    tf_put_u64(w, a->status);
    tf_put_char(w, ' ');
    tf_put_text(w, status_text(a->status));
    tf_put_text(w, a->status == 405 ? "\r\nAllow: GET, HEAD\r\n" : "\r\n");
    tf_put_text(w, a->fields);
    tf_put_text(w, "Content-Type: ");
    tf_put_text(w, a->type);
    tf_put_text(w, "\r\nContent-Length: ");
    tf_put_u64(w, a->size);
    tf_put_text(w, FIELDS);
}
