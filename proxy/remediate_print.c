/* How `tlsfloor remediate` words a remedy; what it says is lib/remedies.def's. */
#include "remediate_print.h"

#include "../lib/calendar.h"
#include "../lib/json.h"
#include "../lib/registry.h"
#include "../lib/remedy.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { WIDTH = 100, JSON_MAX = 8192 };

/* Goes on in a column, and comes back to it in each further line. */
static void print_wrapped(const char *text, int indent)
{
    int column = indent;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (column > indent && column + 1 + n > WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        }
        column += printf("%s%.*s", column > indent ? " " : "", n, text);
        text += n;
        text += *text == ' ';
    }
    printf("\n");
}

static void print_steps(const struct tf_remedy *remedy)
{
    printf("\nWhat to do\n");
    for (int i = 0; remedy->steps[i]; i++) {
        printf("  %d. ", i + 1);
        print_wrapped(remedy->steps[i], 5);
    }
}

static void print_registry(const struct tf_client_info *info, unsigned groups)
{
    printf("\nRegistry settings, as a file for reg import or as a script\n"
           "  tlsfloor remediate --client %s --reg tls12.reg\n"
           "  tlsfloor remediate --client %s --powershell tls12.ps1\n",
           info->slug, info->slug);
    if (groups & TF_REGISTRY_WINHTTP)
        printf("With --only-1.2 they leave out TLS 1.1.\n");
}

/* Good for a year: an exception without an end is forgotten. */
static void print_upgrade(const struct tf_client_info *info, const char *trust)
{
    enum { YEAR_S = 365 * 24 * 60 * 60 };
    char until[16];
    struct tf_writer w = tf_writer_of(until, sizeof until);
    tf_put_day(&w, time(NULL) + YEAR_S);
    printf("\nMeanwhile, or for good: the gateway can upgrade it, with a rule in its configuration\n"
           "  [rule %s]\n"
           "  source = 192.0.2.10 ; the client's address\n"
           "  destination = @m365\n"
           "  action = upgrade\n"
           "  until = %.*s ; the last day\n"
           "  owner = your team ; who is to replace or update it\n"
           "It has to trust the gateway's CA: tlsfloor ca export%s%s\n",
           info->slug, (int)w.len, until, *trust ? " --for " : "", trust);
}

static void print_why(void)
{
    const struct tf_retirement *r;
    printf("\nWhy: Microsoft 365 no longer takes TLS 1.0 and 1.1\n");
    for (size_t i = 0; (r = tf_retirement(i)); i++)
        printf("  %-10s  %s\n", r->when, r->what);
}

static void print_articles(const struct tf_remedy *remedy)
{
    printf("\nTo read\n");
    for (const struct tf_article *a = remedy->articles; a->title; a++)
        printf("  %s%s%s\n", a->title, *a->link ? "\n    " : "", a->link);
}

void remediate_print(enum tf_client_family family)
{
    const struct tf_client_info *info = tf_client_info(family);
    const struct tf_remedy *remedy = tf_remedy_of(family);
    printf("%s: ", info->slug);
    print_wrapped(info->name, (int)strlen(info->slug) + 2);
    printf("TLS 1.2: %s\n", tf_client_ability_name(info->ability));
    print_steps(remedy);
    if (remedy->registry)
        print_registry(info, remedy->registry);
    if (remedy->trust)
        print_upgrade(info, remedy->trust);
    else
        printf("\nThe gateway cannot upgrade it.\n");
    print_why();
    print_articles(remedy);
}

static void put_string(struct tf_writer *w, const char *text)
{
    tf_put_json_string(w, text, strlen(text));
}

static void put_steps(struct tf_writer *w, const struct tf_remedy *remedy)
{
    tf_put_char(w, '[');
    for (int i = 0; remedy->steps[i]; i++) {
        tf_put_text(w, i ? "," : "");
        put_string(w, remedy->steps[i]);
    }
    tf_put_char(w, ']');
}

static void put_articles(struct tf_writer *w, const struct tf_remedy *remedy)
{
    tf_put_char(w, '[');
    for (const struct tf_article *a = remedy->articles; a->title; a++) {
        tf_put_text(w, a > remedy->articles ? "," : "");
        struct tf_json one = tf_json_open(w);
        tf_json_text(&one, "title", a->title);
        tf_json_text(&one, "link", a->link);
        tf_json_close(&one);
    }
    tf_put_char(w, ']');
}

void remediate_print_json(enum tf_client_family family)
{
    const struct tf_client_info *info = tf_client_info(family);
    const struct tf_remedy *remedy = tf_remedy_of(family);
    char text[JSON_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    struct tf_json j = tf_json_open(&w);
    tf_json_text(&j, "client_family", info->slug);
    tf_json_text(&j, "name", info->name);
    tf_json_text(&j, "ability", tf_client_ability_name(info->ability));
    tf_json_text(&j, "fix", info->fix);
    tf_json_key(&j, "steps");
    put_steps(&w, remedy);
    tf_json_bool(&j, "registry", remedy->registry != 0);
    tf_json_bool(&j, "upgrade", remedy->trust != NULL);
    tf_json_key(&j, "articles");
    put_articles(&w, remedy);
    tf_json_close(&j);
    assert(!w.full);
    printf("%.*s\n", (int)w.len, text);
}

void remediate_print_row(FILE *to, enum tf_client_family family)
{
    const struct tf_client_info *info = tf_client_info(family);
    fprintf(to, "%-32s  %-17s  %s\n", info->slug, tf_client_ability_name(info->ability), info->name);
}
