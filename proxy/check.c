/* `tlsfloor check`: what is wrong with the configuration, what is in force,
 * and what there is to write. */
#include "check.h"

#include "conf_file.h"
#include "print.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

static void put_settings(struct tf_writer *w, const void *conf)
{
    tf_put_conf(w, conf);
}

static void put_reference(struct tf_writer *w, const void *nothing)
{
    (void)nothing;
    tf_put_conf_reference(w);
}

static void put_manual(struct tf_writer *w, const void *nothing)
{
    (void)nothing;
    tf_put_conf_manual(w);
}

int check_access(const char *path, int what)
{
    return faccessat(AT_FDCWD, path, what, AT_EACCESS) == 0 ? 0 : errno;
}

const char *check_hint(int why)
{
    return why == EACCES
               ? "; where the gateway runs as another user, let that one check (sudo -u USER tlsfloor check)"
               : "";
}

bool check_cannot_use(const struct tf_conf *conf, const char *section, const char *key, const char *value,
                      int why, const char *what_to_do)
{
    char error[128], sentence[1024];
    conf_error_text(why, error, sizeof error);
    snprintf(sentence, sizeof sentence, "[%s] %s = %.300s: %s%.400s%s", section, key, value, error,
             what_to_do, check_hint(why));
    conf_report(stderr, TF_ERROR, tf_conf_origin(conf, section, key), sentence);
    return false;
}

static int check_file(const char *file, bool dump)
{
    unsigned listeners = 0;
    struct conf *c = conf_load_with_notes(file, stderr);
    if (!c)
        return FINDING;

    bool upgrades = check_upgrades(c), logs = check_logs(&c->tf), doors = check_doors(c);
    bool inventory = check_inventory(&c->tf);
    bool ok = upgrades && logs && doors && inventory;
    check_upstreams(c);
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next)
        listeners++;
    if (ok && dump) {
        ok = print_whole(stdout, put_settings, &c->tf);
    } else if (ok) {
        check_transparent(&c->tf);
        printf("%s: fine: %u listener%s, %zu rule%s\n", file, listeners, listeners == 1 ? "" : "s",
               c->tf.policy.rule_count, c->tf.policy.rule_count == 1 ? "" : "s");
    }
    conf_unref(c);
    return ok ? FINE : FINDING;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor check " CHECK_ARGUMENTS "\n");
    return code;
}

/* `form` is what stands behind --reference=, NULL where nothing does. */
static int print_reference(const char *form)
{
    if (form && strcmp(form, "man") != 0) {
        fprintf(stderr,
                "tlsfloor check: there is no reference '%s'; write --reference for Markdown, or "
                "--reference=man\n",
                form);
        return usage(stderr, USAGE);
    }
    return print_whole(stdout, form ? put_manual : put_reference, NULL) ? FINE : FINDING;
}

int check_main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"dump", no_argument, NULL, 'd'},
                                            {"reference", optional_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const char *file = conf_default_file(), *form = NULL;
    bool dump = false, reference = false;
    int option;

    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'd':
            dump = true;
            break;
        case 'r':
            reference = true;
            form = optarg;
            break;
        case 'h':
            return usage(stdout, FINE);
        default: /* getopt has said what is wrong */
            return usage(stderr, USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tlsfloor check: '%s' is not expected; the file is given with -c\n", argv[optind]);
        return usage(stderr, USAGE);
    }
    if (reference)
        return print_reference(form);
    return check_file(file, dump);
}
