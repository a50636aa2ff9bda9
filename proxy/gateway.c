/* Starting and ending; see gateway.h and gateway_parts.h. What one version of
 * the configuration needs is a stage; a reload builds the next one whole, and
 * only then moves the loops over. */
#include "gateway.h"

#include "clock.h"
#include "gateway_parts.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_CANNOT_START = 3 };

void gateway_say(const char *sentence)
{
    fprintf(stderr, "tlsfloor: %s\n", sentence);
}

/* --- the end --- */

/* A loop's thread is about to end; on that thread. */
static void on_loop_over(void *arg)
{
    struct gateway *g = arg;
    uv_async_send(&g->loop_over);
}

static void on_loops_over(uv_async_t *async)
{
    struct gateway *g = async->data;
    for (size_t i = 0; i < g->loop_count; i++)
        if (!loop_is_over(g->loops[i]))
            return;
    for (size_t i = 0; i < g->loop_count; i++)
        loop_join(g->loops[i]); /* before what its last words go to is closed */
    if (g->admin != NULL)
        admin_stop(g->admin);
    gateway_close_signals(g);
    predecessor_stop(&g->predecessor);
    handover_fini(&g->handover);
    watchdog_stop(&g->watchdog);
    uv_close((uv_handle_t *)&g->grace, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void finish(struct gateway *g)
{
    stage_free(&g->stage, NULL, &g->totals_base);
    g->stage = (struct stage){.conf = NULL};
    if (g->heir >= 0)
        close(g->heir);
    struct totals t;
    gateway_sum_up(g, &t);
    uint64_t blocked = 0, would_block = 0;
    for (size_t i = 0; i < TF_REASON_COUNT; i++) {
        blocked += t.reasons[REASON_BLOCKED][i];
        would_block += t.reasons[REASON_WOULD_BLOCK][i];
    }
    fprintf(stderr,
            "tlsfloor: ended: %llu connections, %llu tunnels, %llu upgrades, %llu blocked, %llu would be; "
            "block log: %llu written, %llu dropped\n",
            (unsigned long long)totals_sum(&t, COUNTER_SESSIONS_CONNECT, COUNTER_SESSIONS_ACTIVE),
            (unsigned long long)t.values[COUNTER_TUNNELS],
            (unsigned long long)totals_sum(&t, COUNTER_UPGRADES_PLAIN, COUNTER_UPGRADED_TO_12),
            (unsigned long long)blocked, (unsigned long long)would_block,
            (unsigned long long)t.values[COUNTER_LOG_WRITTEN],
            (unsigned long long)t.values[COUNTER_LOG_DROPPED]);
    for (size_t i = 0; i < g->loop_count; i++)
        loop_free(g->loops[i]);
    free(g->loops);
    program_free(&g->program);
    uv_loop_close(&g->uv);
}

/* --- the start --- */

/* As many open files as the system allows without asking. */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static bool start_admin(struct gateway *g, const struct tf_conf *conf, char *error, size_t size)
{
    struct tf_addr address = conf->admin;
    bool is_kept = false;
    int fd = -1;
    if (!conf->admin_on)
        return true;
    if (inherited_count(&g->inherited, &conf->admin, INHERIT_ADMIN) > 0)
        inherited_take(&g->inherited, &conf->admin, INHERIT_ADMIN, &fd, &address, &is_kept);
    g->admin = admin_start(&g->uv, &address, fd, gateway_view(g), &g->admin_address, error, size);
    if (g->admin == NULL)
        return false;
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text);
    tf_put_addr_port(&w, &g->admin_address);
    fprintf(stderr, "tlsfloor: listening on %.*s (admin)\n", (int)w.len, text);
    return true;
}

static bool start_loops(struct gateway *g, char *error, size_t size)
{
    for (size_t i = 0; i < g->loop_count; i++) {
        struct loop_end end = {on_loop_over, g};
        g->loops[i] = loop_new(&g->stage.settings[i], end, error, size);
        if (g->loops[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < g->loop_count; i++)
        if (!loop_start(g->loops[i])) {
            snprintf(error, size, "cannot start a thread: %s", strerror(errno));
            return false;
        }
    return true;
}

/* What the main thread's loop waits for. */
static bool start_main_loop(struct gateway *g)
{
    if (uv_loop_init(&g->uv) != 0)
        return false;
    uv_async_init(&g->uv, &g->loop_over, on_loops_over);
    g->loop_over.data = g;
    uv_timer_init(&g->uv, &g->grace);
    g->grace.data = g;
    handover_init(&g->handover, &g->uv);
    watchdog_init(&g->watchdog, &g->uv);
    g->heir = g->predecessor.fd = -1;
    gateway_watch_signals(g);
    return true;
}

static bool start(struct gateway *g, struct conf *conf, char *error, size_t size)
{
    g->started_us = g->loaded_us = clock_wall_us();
    raise_file_limit();
    g->loop_count = conf->tf.threads > 0 ? conf->tf.threads : uv_available_parallelism();
    g->loops = calloc(g->loop_count, sizeof *g->loops);
    if (g->loops == NULL || !start_main_loop(g)) {
        snprintf(error, size, "out of memory");
        return false;
    }
    if (!inherited_find(&g->inherited, error, size) ||
        !inherited_check(&g->inherited, &conf->tf, error, size) || !start_admin(g, &conf->tf, error, size)) {
        conf_unref(conf);
        return false;
    }
    bool ok = gateway_build_stage(g, &g->stage, conf, error, size) && start_loops(g, error, size);
    inherited_free(&g->inherited);
    return ok;
}

static void take_service(void *arg)
{
    struct gateway *g = arg;
    notify(&g->notifier, "READY=1\nSTATUS=serving");
    watchdog_start(&g->watchdog, &g->notifier, g->loops, g->loop_count);
}

static void announce(struct gateway *g)
{
    stage_announce(&g->stage, false);
    fprintf(
        stderr,
        "tlsfloor: room for %zu connections at once, by [limits] connections or the limit on open files\n",
        g->stage.settings[0].session_max * g->loop_count);
    gateway_say(tls_can_tls10()
                    ? "this OpenSSL can do TLS 1.0, for clients that are upgraded"
                    : "this OpenSSL cannot do TLS 1.0 at all: clients that need it cannot be upgraded");
    gateway_say("ready");
    if (g->inherited.predecessor < 0) {
        take_service(g);
        return;
    }
    g->predecessor =
        (struct predecessor){.fd = -1, .inventory = g->stage.inventory, .arg = g, .on_yours = take_service};
    predecessor_say_ready(&g->predecessor, &g->uv, g->inherited.predecessor);
}

/* False: all has been said, and *code is the exit code. */
static bool parse_arguments(int argc, char **argv, const char **file, int *code)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c;
    *file = conf_default_file();
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (c == 'c') {
            *file = optarg;
            continue;
        }
        *code = c == 'h' ? 0 : EXIT_USAGE;
        fprintf(c == 'h' ? stdout : stderr, "usage: tlsfloor run " RUN_ARGUMENTS "\n");
        return false;
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "%s: '%s' is not expected; the file is given with -c\n", argv[0], argv[optind]);
    *code = EXIT_USAGE;
    return false;
}

int gateway_main(int argc, char **argv)
{
    static struct gateway g;
    char error[512] = "";
    int code;
    if (!parse_arguments(argc, argv, &g.file, &code))
        return code;
    gateway_hold_signals();
    program_find(&g.program);
    notifier_init(&g.notifier);
    struct conf *conf = conf_load(g.file, stderr);
    if (conf == NULL) {
        gateway_say("not started: see above");
        return EXIT_CANNOT_START;
    }
    if (!start(&g, conf, error, sizeof error)) {
        fprintf(stderr, "tlsfloor: not started: %s\n", error);
        return EXIT_CANNOT_START;
    }
    gateway_begin_leaf_keys(&g);
    announce(&g);
    uv_run(&g.uv, UV_RUN_DEFAULT);
    finish(&g);
    return 0;
}
