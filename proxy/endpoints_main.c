/* `tlsfloor endpoints`: reads the arguments, and finds the subcommand. */
#include "endpoints_command.h"

#include <getopt.h>
#include <string.h>

static const struct subcommand {
    const char *name;
    enum endpoints_exit (*run)(const struct endpoints_call *call);
    const char *operand; /* NULL: it takes none */
    const char *options; /* the letters of those that it takes */
} subcommands[] = {
    {"show", endpoints_show, NULL, "cakj"},
    {"lookup", endpoints_lookup, "HOST[:PORT]", "c"},
    {"diff", endpoints_diff, "FILE", "c"},
    {"update", endpoints_update, NULL, "cfuoF"},
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},   {"area", required_argument, NULL, 'a'},
    {"category", required_argument, NULL, 'k'}, {"json", no_argument, NULL, 'j'},
    {"from", required_argument, NULL, 'f'},     {"url", required_argument, NULL, 'u'},
    {"output", required_argument, NULL, 'o'},   {"force", no_argument, NULL, 'F'},
    {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
};

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor endpoints " ENDPOINTS_ARGUMENTS "\n");
    return code;
}

static bool take_area(const char *text, struct tf_m365_filter *only)
{
    only->by_area = tf_m365_area_parse(text, strlen(text), &only->area);
    if (!only->by_area)
        fprintf(stderr,
                "tlsfloor endpoints: there is no area '%s'; write Common, Exchange, SharePoint, Teams or "
                "Intune\n",
                text);
    return only->by_area;
}

static bool take_category(const char *text, struct tf_m365_filter *only)
{
    only->by_category = tf_m365_category_parse(text, strlen(text), &only->category);
    if (!only->by_category)
        fprintf(stderr, "tlsfloor endpoints: there is no category '%s'; write Optimize, Allow or Default\n",
                text);
    return only->by_category;
}

/* False, when something is wrong that has been said. */
static bool take_option(int option, struct endpoints_call *call)
{
    switch (option) {
    case 'c':
        call->file = optarg;
        return true;
    case 'a':
        return take_area(optarg, &call->only);
    case 'k':
        return take_category(optarg, &call->only);
    case 'j':
        call->json = true;
        return true;
    case 'f':
        call->from = optarg;
        return true;
    case 'u':
        call->url = optarg;
        return true;
    case 'o':
        call->output = optarg;
        return true;
    case 'F':
        call->force = true;
        return true;
    default: /* getopt has said what is wrong */
        return false;
    }
}

static bool takes_option(const struct subcommand *sub, int option)
{
    if (strchr(sub->options, option))
        return true;
    for (const struct option *o = options; o->name; o++)
        if (o->val == option)
            fprintf(stderr, "tlsfloor endpoints: %s takes no --%s\n", sub->name, o->name);
    return false;
}

/* What stands behind the options. */
static bool take_operand(const struct subcommand *sub, int argc, char **argv, struct endpoints_call *call)
{
    int wanted = sub->operand ? 1 : 0;
    if (argc - optind > wanted)
        fprintf(stderr, "tlsfloor endpoints: '%s' is not expected\n", argv[optind + wanted]);
    else if (argc - optind < wanted)
        fprintf(stderr, "tlsfloor endpoints: %s needs %s\n", sub->name, sub->operand);
    else
        call->operand = argv[optind]; /* NULL behind the last */
    return argc - optind == wanted;
}

static int run(const struct subcommand *sub, struct endpoints_call *call)
{
    struct conf *c = conf_load_or_defaults(call->file, stderr);
    if (!c)
        return ENDPOINTS_FINDING;
    call->conf = &c->tf;
    int code = (int)sub->run(call);
    conf_unref(c);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "tlsfloor endpoints: the answer cannot be written\n");
        code = ENDPOINTS_FINDING;
    }
    return code;
}

static const struct subcommand *find(const char *name)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

int endpoints_main(int argc, char **argv)
{
    struct endpoints_call call = {.file = NULL};
    const char *name = argc > 1 ? argv[1] : "";
    int option;

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return usage(stdout, ENDPOINTS_FINE);
    const struct subcommand *sub = find(name);
    if (!sub) {
        fprintf(stderr, "tlsfloor endpoints: show, lookup, diff or update?\n");
        return usage(stderr, ENDPOINTS_USAGE);
    }
    argv[1] = argv[0]; /* the name that getopt gives in its messages */
    argc--;
    argv++;
    while ((option = getopt_long(argc, argv, "c:o:h", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, ENDPOINTS_FINE);
        if (option == '?' || !takes_option(sub, option) || !take_option(option, &call))
            return usage(stderr, ENDPOINTS_USAGE);
    }
    if (!take_operand(sub, argc, argv, &call))
        return usage(stderr, ENDPOINTS_USAGE);
    return run(sub, &call);
}
