/* `tlsfloor ca`: makes, shows and hands out the gateway's own CA. */
#include "ca_command.h"

#include "whole_file.h"
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <openssl/pem.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FINE = 0, FINDING = 1, USAGE = 2, UNUSABLE = 3, GO_ON = -1 };

/* What was asked. */
struct question {
    const char *file;
    bool renew;
    bool has_format;
    enum ca_format format;
    const struct ca_import *import; /* --for */
    const char *out;                /* -o */
};

static bool is_off(const struct conf *conf)
{
    bool off = strcmp(conf->tf.ca.directory, "off") == 0;
    if (off)
        fprintf(stderr, "tlsfloor ca: there is to be no CA: [ca] directory = off\n");
    return off;
}

/* The CA; NULL: there is none that can be used, and *code says why. */
static struct ca *load(const struct conf *conf, int *code)
{
    char error[CA_ERROR_MAX];
    bool missing;
    struct ca *ca = ca_load(&conf->tf, &missing, error, sizeof error);
    if (ca)
        return ca;
    fprintf(stderr, "tlsfloor ca: %s\n", error);
    *code = missing ? FINDING : UNUSABLE;
    return NULL;
}

/* --- init and show --- */

static int show(const struct conf *conf, const struct question *q)
{
    int code = FINDING;
    (void)q;
    struct ca *ca = load(conf, &code);
    if (!ca)
        return code;
    bool covers = ca_print(ca, conf);
    ca_unref(ca);
    return covers ? FINE : FINDING;
}

static void print_made(bool anew)
{
    const struct passwd *user = getpwuid(geteuid());
    if (anew)
        printf("Made the CA. Only the user %s can read its key, so the gateway has to run as that user, or "
               "be given the\nfiles.\n\n",
               user ? user->pw_name : "who runs this command");
    else
        printf("Made a new certificate for the CA's key; the old one is kept beside it. A gateway that runs "
               "takes the "
               "new one with SIGHUP.\n\n");
}

static int init(const struct conf *conf, const struct question *q)
{
    char error[CA_ERROR_MAX];
    bool missing;
    struct ca *ca = ca_load(&conf->tf, &missing, error, sizeof error);
    bool works = ca != NULL, make = missing || q->renew;
    ca_unref(ca);
    if (make ? !ca_make(&conf->tf, q->renew, error, sizeof error) : !works) {
        fprintf(stderr, "tlsfloor ca: %s\n", error);
        return UNUSABLE;
    }
    if (make)
        print_made(missing);
    else
        printf("There is a CA already, and nothing was changed; --renew makes a new certificate for its "
               "key.\n\n");

    int code = show(conf, q);
    if (make && code != UNUSABLE)
        printf("\nClients have to trust it: tlsfloor ca export%s --for windows (java, debian, printer and so "
               "on)\n",
               ca_option(&conf->tf));
    return code == UNUSABLE ? code : FINE;
}

/* --- export --- */

static bool write_certificate(BIO *bio, X509 *x, enum ca_format format)
{
    return (format == CA_DER ? i2d_X509_bio(bio, x) : PEM_write_bio_X509(bio, x)) == 1;
}

static int write_file(X509 *x, enum ca_format format, const char *path)
{
    struct stat st;
    char *text;
    BIO *bio = BIO_new(BIO_s_mem());
    long n = bio && write_certificate(bio, x, format) ? BIO_get_mem_data(bio, &text) : 0;
    int why = n > 0 ? 0 : ENOMEM;
    if (why == 0 && lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        why = EEXIST; /* a device or a link is not ours to replace */
    if (why == 0)
        why = whole_file_write(path, text, (size_t)n, 0644, true);
    BIO_free(bio);
    if (why != 0)
        fprintf(stderr, "tlsfloor ca: cannot write %s: %s\n", path, strerror(why));
    return why == 0 ? FINE : FINDING;
}

static int write_out(X509 *x, enum ca_format format)
{
    if (format == CA_DER && isatty(STDOUT_FILENO)) {
        fprintf(stderr, "tlsfloor ca: DER is nothing for a terminal; name a file with -o FILE\n");
        return USAGE;
    }
    BIO *bio = BIO_new_fp(stdout, BIO_NOCLOSE);
    bool ok = bio && write_certificate(bio, x, format) && fflush(stdout) == 0;
    BIO_free(bio);
    return ok ? FINE : FINDING;
}

static void print_import(const struct question *q, enum ca_format format)
{
    const char *file = q->out ? basename((char *)q->out) : q->import->file;
    if (q->out)
        printf("# %s is written. Take it to the client, and there:\n\n", q->out);
    else
        printf("# Here:\ntlsfloor ca export -c \"%s\" --format %s -o \"%s\"\n\n# Take that file to the "
               "client, and there:\n\n",
               q->file, format == CA_DER ? "der" : "pem", file);
    ca_print_import(q->import, file);
}

static int export(const struct conf *conf, const struct question *q)
{
    int code = FINDING;
    struct ca *ca = load(conf, &code);
    if (!ca)
        return code;
    enum ca_format format = q->import && !q->has_format ? q->import->format : q->format;
    X509 *x = ca_certificate(ca);
    code = FINE;
    if (q->out)
        code = write_file(x, format, q->out);
    else if (!q->import)
        code = write_out(x, format);
    if (q->import && code == FINE)
        print_import(q, format);
    if (X509_self_signed(x, 0) != 1)
        fprintf(stderr,
                "tlsfloor ca: this CA was issued by another; clients that trust that one need no import\n");
    ca_unref(ca);
    return code;
}

/* --- the command line --- */

static const struct action {
    const char *name;
    int (*run)(const struct conf *conf, const struct question *q);
    const char *options; /* that it takes, by their letters */
} actions[] = {{"init", init, "cr"}, {"show", show, "c"}, {"export", export, "cfwo"}};

enum { ACTIONS = sizeof actions / sizeof *actions };

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor ca " CA_ARGUMENTS "\n    WHAT is to trust it: ");
    ca_list_imports(to);
    fprintf(to, "\n");
    return code;
}

static bool read_format(struct question *q, const char *word)
{
    q->has_format = true;
    q->format = strcmp(word, "der") == 0 ? CA_DER : CA_PEM;
    bool known = q->format == CA_DER || strcmp(word, "pem") == 0;
    if (!known)
        fprintf(stderr, "tlsfloor ca: --format '%s' is not known; write pem or der\n", word);
    return known;
}

static bool read_import(struct question *q, const char *word)
{
    char error[CA_ERROR_MAX];
    q->import = ca_find_import(word, error, sizeof error);
    if (!q->import)
        fprintf(stderr, "tlsfloor ca: %s\n", error);
    return q->import != NULL;
}

/* The exit code, if that is all. */
static int parse(int argc, char **argv, const struct action *action, struct question *q)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"renew", no_argument, NULL, 'r'},
        {"format", required_argument, NULL, 'f'},
        {"for", required_argument, NULL, 'w'},
        {"output", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:o:h", options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, FINE);
        if (option == '?') /* getopt has said what is wrong */
            return usage(stderr, USAGE);
        if (!strchr(action->options, option)) {
            fprintf(stderr, "tlsfloor ca: %s takes no such option\n", action->name);
            return usage(stderr, USAGE);
        }
        switch (option) {
        case 'c':
            q->file = optarg;
            break;
        case 'r':
            q->renew = true;
            break;
        case 'f':
            if (!read_format(q, optarg))
                return USAGE;
            break;
        case 'w':
            if (!read_import(q, optarg))
                return USAGE;
            break;
        case 'o':
            q->out = optarg;
            break;
        }
    }
    if (optind == argc)
        return GO_ON;
    fprintf(stderr, "tlsfloor ca: '%s' is not expected\n", argv[optind]);
    return usage(stderr, USAGE);
}

static int run(const struct action *action, const struct question *q)
{
    struct conf *conf = conf_load(q->file, stderr);
    int code = conf && !is_off(conf) ? action->run(conf, q) : FINDING;
    conf_unref(conf);
    return code;
}

int ca_main(int argc, char **argv)
{
    struct question q = {.file = conf_default_file()};
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return usage(stdout, FINE);
    for (size_t i = 0; i < ACTIONS; i++) {
        if (strcmp(name, actions[i].name) != 0)
            continue;
        argv[1] = argv[0]; /* getopt begins its messages with it */
        int code = parse(argc - 1, argv + 1, &actions[i], &q);
        return code == GO_ON ? run(&actions[i], &q) : code;
    }
    if (argc > 1)
        fprintf(stderr, "tlsfloor ca: there is no '%s'; write init, show or export\n", name);
    return usage(stderr, USAGE);
}
