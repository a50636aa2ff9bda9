/* `tlsfloor check`: what is wrong with the configuration, what is in force,
 * and what there is to write. */
#include "conf_load.h"

#include <getopt.h>
#include <stdlib.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

/* Prints what `put` writes, however long it is. */
static bool print(void (*put)(struct tf_writer *, const void *), const void *arg)
{
    for (size_t size = 1 << 16; size <= (size_t)1 << 30; size *= 4) {
        char *text = malloc(size);
        struct tf_writer w = tf_writer_of(text, text ? size : 0);
        put(&w, arg);
        if (!w.full)
            fwrite(w.p, 1, w.len, stdout);
        free(text);
        if (!w.full)
            return fflush(stdout) == 0;
    }
    return false;
}

static void put_settings(struct tf_writer *w, const void *conf)
{
    tf_put_conf(w, conf);
}

static void put_reference(struct tf_writer *w, const void *nothing)
{
    (void)nothing;
    tf_put_conf_reference(w);
}

static int check_file(const char *file, bool dump)
{
    unsigned listeners = 0;
    struct conf *c = conf_load(file, stderr);
    if (!c)
        return FINDING;

    bool printed = true;
    for (const struct tf_listener *l = c->tf.listeners; l; l = l->next)
        listeners++;
    if (dump)
        printed = print(put_settings, &c->tf);
    else
        printf("%s: fine: %u listener%s, %zu rule%s\n", file, listeners, listeners == 1 ? "" : "s",
               c->tf.policy.rule_count, c->tf.policy.rule_count == 1 ? "" : "s");
    conf_unref(c);
    return printed ? FINE : FINDING;
}

static int usage(void)
{
    fprintf(stderr, "usage: tlsfloor check [-c FILE] [--dump | --reference]\n");
    return USAGE;
}

int check_main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"dump", no_argument, NULL, 'd'},
                                            {"reference", no_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    const char *file = conf_default_file();
    bool dump = false, reference = false;
    int option;

    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'd':
            dump = true;
            break;
        case 'r':
            reference = true;
            break;
        default: /* getopt has said what is wrong */
            return usage();
        }
    }
    if (optind < argc) {
        fprintf(stderr, "tlsfloor check: '%s' is not expected; the file is given with -c\n", argv[optind]);
        return usage();
    }
    if (reference)
        return print(put_reference, NULL) ? FINE : FINDING;
    return check_file(file, dump);
}
