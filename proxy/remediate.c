/* `tlsfloor remediate`: what to do about a family of clients, and for Windows the registry settings as a
 * file. */
#include "remediate.h"

#include "../lib/registry.h"
#include "../lib/remedy.h"
#include "../lib/suggest.h"
#include "remediate_print.h"
#include "whole_file.h"
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

/* What was asked. */
struct call {
    const char *client, *reg, *powershell; /* NULL where not given */
    bool only_12, force, list, json;
};

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor remediate " REMEDIATE_ARGUMENTS "\n");
    return code;
}

/* Whether a word of `in` begins with `text`, which may go on over words behind it. */
static bool has_at_word(const char *in, struct tf_text text)
{
    bool is_inside = false; /* a word */
    for (; *in; in++) {
        if (!is_inside && tf_text_same(text, (struct tf_text){in, strnlen(in, text.n)}))
            return true;
        is_inside = tf_ascii_is_alnum(*in);
    }
    return false;
}

/* Prints each family that `text` may be about. False: there is none. */
static bool list_similar(struct tf_text text)
{
    size_t found = 0;
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; text.n > 0 && i < TF_CLIENT_FAMILY_COUNT; i++) {
        const struct tf_client_info *info = tf_client_info((enum tf_client_family)i);
        if (!has_at_word(info->slug, text) && !has_at_word(info->name, text))
            continue;
        if (found++ == 0)
            fprintf(stderr, "; did you mean one of these?\n");
        remediate_print_row(stderr, (enum tf_client_family)i);
    }
    return found > 0;
}

/* By slug, or by what it is called. */
static bool find(const char *text, enum tf_client_family *family)
{
    struct tf_suggestion nearest = {.unknown = tf_text_of(text)};
    if (tf_client_family_parse(text, strlen(text), family))
        return true;
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++) {
        const struct tf_client_info *info = tf_client_info((enum tf_client_family)i);
        if (tf_text_is_word(nearest.unknown, info->name)) {
            *family = (enum tf_client_family)i;
            return true;
        }
        tf_suggest(&nearest, info->slug);
    }
    fprintf(stderr, "tlsfloor remediate: there is no family '%s'", text);
    if (!list_similar(tf_text_trim(nearest.unknown)))
        fprintf(stderr, "%s%s%s\n", TF_DID_YOU_MEAN(nearest));
    fprintf(stderr, "All there are: tlsfloor remediate --list\n");
    return false;
}

/* "-": to standard output, with not a byte around it. */
static bool write_bytes(const struct call *call, const char *file, const struct tf_writer *w,
                        const char *then)
{
    if (strcmp(file, "-") == 0) {
        fwrite(w->p, 1, w->len, stdout);
        return true;
    }
    int why = whole_file_write(file, w->p, w->len, 0644, call->force);
    if (why != 0) {
        fprintf(stderr, "tlsfloor remediate: %s is not written: %s%s\n", file, strerror(why),
                why == EEXIST ? "; --force replaces it" : "");
        return false;
    }
    fprintf(stderr, "%s is written; on the client, as administrator: %s %s\n", file, then, file);
    return true;
}

static bool write_files(const struct call *call, unsigned groups)
{
    char reg_bytes[TF_REGISTRY_MAX], script_bytes[TF_REGISTRY_MAX];
    struct tf_writer reg = tf_writer_of(reg_bytes, sizeof reg_bytes);
    struct tf_writer script = tf_writer_of(script_bytes, sizeof script_bytes);
    tf_registry_put_reg(&reg, groups);
    tf_registry_put_powershell(&script, groups);
    assert(!reg.full && !script.full);
    return (!call->reg || write_bytes(call, call->reg, &reg, "reg import")) &&
           (!call->powershell ||
            write_bytes(call, call->powershell, &script, "powershell -ExecutionPolicy Bypass -File"));
}

static int write_registry(const struct call *call, enum tf_client_family family)
{
    unsigned groups = tf_remedy_of(family)->registry;
    if (groups == 0) {
        fprintf(stderr, "tlsfloor remediate: for %s, nothing in a registry helps\n",
                tf_client_info(family)->slug);
        return FINDING;
    }
    return write_files(call, call->only_12 ? tf_registry_only_12(groups) : groups) ? FINE : FINDING;
}

static int list(const struct call *call)
{
    for (size_t i = TF_CLIENT_FAMILY_UNKNOWN + 1; i < TF_CLIENT_FAMILY_COUNT; i++) {
        if (call->json)
            remediate_print_json((enum tf_client_family)i);
        else
            remediate_print_row(stdout, (enum tf_client_family)i);
    }
    return FINE;
}

static int run(const struct call *call)
{
    enum tf_client_family family;
    if (call->list)
        return list(call);
    if (!find(call->client, &family))
        return USAGE;
    if (call->reg || call->powershell)
        return write_registry(call, family);
    (call->json ? remediate_print_json : remediate_print)(family);
    return FINE;
}

/* Whether what was asked goes together. */
static bool is_sound(const struct call *call)
{
    bool writes = call->reg || call->powershell;
    const char *wrong = NULL;
    if (!call->client == !call->list)
        wrong = "--client FAMILY, or --list?";
    else if (call->list && writes)
        wrong = "registry settings are written for one family: --client FAMILY";
    else if (!writes && (call->only_12 || call->force))
        wrong = "--only-1.2 and --force belong to --reg or --powershell";
    else if (writes && call->json)
        wrong = "--format does not go with --reg or --powershell";
    else if (call->reg && call->powershell && strcmp(call->reg, call->powershell) == 0)
        wrong = "--reg and --powershell cannot be the same file";
    if (wrong)
        fprintf(stderr, "tlsfloor remediate: %s\n", wrong);
    return !wrong;
}

static bool take_format(const char *text, struct call *call)
{
    call->json = strcmp(text, "json") == 0;
    if (call->json || strcmp(text, "text") == 0)
        return true;
    fprintf(stderr, "tlsfloor remediate: there is no format '%s'; write text or json\n", text);
    return false;
}

static bool take_option(int option, struct call *call)
{
    switch (option) {
    case 'c':
        call->client = optarg;
        return true;
    case 'l':
        call->list = true;
        return true;
    case 'r':
        call->reg = optarg;
        return true;
    case 'p':
        call->powershell = optarg;
        return true;
    case 'o':
        call->only_12 = true;
        return true;
    case 'F':
        call->force = true;
        return true;
    case 'f':
        return take_format(optarg, call);
    default: /* getopt has said what is wrong */
        return false;
    }
}

int remediate_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"client", required_argument, NULL, 'c'},
        {"list", no_argument, NULL, 'l'},
        {"reg", required_argument, NULL, 'r'},
        {"powershell", required_argument, NULL, 'p'},
        {"only-1.2", no_argument, NULL, 'o'},
        {"force", no_argument, NULL, 'F'},
        {"format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct call call = {.client = NULL};
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h')
            return usage(stdout, FINE);
        if (!take_option(option, &call))
            return usage(stderr, USAGE);
    }
    if (optind < argc)
        fprintf(stderr, "tlsfloor remediate: '%s' is not expected\n", argv[optind]);
    if (optind < argc || !is_sound(&call))
        return usage(stderr, USAGE);
    int code = run(&call);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "tlsfloor remediate: the answer cannot be written\n");
        code = FINDING;
    }
    return code;
}
