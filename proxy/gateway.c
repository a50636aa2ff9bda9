/* Starting, reloading, draining; see gateway.h.
 *
 * The main thread has a libuv loop of its own for signals and the admin
 * socket, and never touches a session. What one version of the configuration
 * needs is a stage; a reload builds the next one whole, and only then moves
 * the loops over. */
#include "gateway.h"

#include "admin.h"
#include "clock.h"
#include "status.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_CANNOT_START = 3 };

static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

enum { WATCHED = sizeof watched / sizeof *watched };

/* LEAVING: told to end, but new connections are taken for [limits] grace_s yet. */
enum phase { SERVING, LEAVING, DRAINING };

struct gateway {
    uv_loop_t uv;
    uv_signal_t signals[WATCHED];
    uv_timer_t grace;
    uv_async_t loop_over;
    const char *file;
    struct loop **loops;
    size_t loop_count;
    struct stage stage;
    struct admin *admin;
    struct tf_addr admin_address;
    struct totals totals_base; /* what journals of earlier stages wrote and dropped */
    enum phase phase;
    int64_t started_us, loaded_us; /* UTC; loaded_us: since when the settings are in force */
    bool reload_failed;            /* the last one */
};

static void say(const char *sentence)
{
    fprintf(stderr, "tlsfloor: %s\n", sentence);
}

static bool build_stage(struct gateway *g, struct stage *next, struct conf *conf, char *error, size_t size)
{
    const struct stage *old = g->stage.conf != NULL ? &g->stage : NULL;
    return stage_build(next, conf, old, g->loop_count, g->admin != NULL ? &g->admin_address : NULL, error,
                       size);
}

/* The keys of minted certificates take a while to make, and the first client should not wait for them. */

static void make_leaf_keys(uv_work_t *work)
{
    ca_leaf_key(work->data, TF_LEAF_ECDSA);
    ca_leaf_key(work->data, TF_LEAF_RSA);
}

static void on_leaf_keys(uv_work_t *work, int status)
{
    (void)status;
    ca_unref(work->data);
    free(work);
}

static void begin_leaf_keys(struct gateway *g)
{
    struct ca *ca = g->stage.tls != NULL ? tls_ca(g->stage.tls) : NULL;
    uv_work_t *work = ca != NULL ? malloc(sizeof *work) : NULL;
    if (work == NULL)
        return;
    work->data = ca_ref(ca);
    if (uv_queue_work(&g->uv, work, make_leaf_keys, on_leaf_keys) != 0)
        on_leaf_keys(work, 0);
}

/* Reload. */

/* What is made once, at the start. */
static void say_what_needs_a_restart(const struct tf_conf *old, const struct tf_conf *new)
{
    if (old->admin_on != new->admin_on || old->admin.port != new->admin.port ||
        !tf_addr_same_ip(&old->admin, &new->admin))
        say("[admin] listen has changed: that needs a restart");
    if (old->threads != new->threads)
        say("[gateway] threads has changed: that needs a restart");
    if (strcmp(old->inventory.file, new->inventory.file) != 0)
        say("[inventory] file has changed: that needs a restart");
    if (old->limits.inventory_queue != new->limits.inventory_queue ||
        old->limits.acquaintances != new->limits.acquaintances)
        say("[limits] inventory_queue or acquaintances has changed: that needs a restart");
    if (old->limits.log_bytes != new->limits.log_bytes)
        say("[limits] log_bytes has changed: logs that stay open need a restart for that");
}

static void on_changed(void *arg)
{
    uv_sem_post(arg);
}

static void reload(struct gateway *g)
{
    char error[512];
    struct conf *conf = conf_load(g->file, stderr);
    struct stage next;
    g->reload_failed = true;
    if (conf == NULL) {
        say("reload refused, the settings in force stay: see above");
        return;
    }
    if (!build_stage(g, &next, conf, error, sizeof error)) {
        fprintf(stderr, "tlsfloor: reload refused, the settings in force stay: %s\n", error);
        return;
    }
    uv_sem_t changed;
    uv_sem_init(&changed, 0);
    for (size_t i = 0; i < g->loop_count; i++)
        while (!loop_change(g->loops[i], &next.settings[i], on_changed, &changed))
            usleep(10000); /* out of memory for a moment; half a reload would be worse than a late one */
    for (size_t i = 0; i < g->loop_count; i++)
        uv_sem_wait(&changed);
    uv_sem_destroy(&changed);
    say_what_needs_a_restart(&g->stage.conf->tf, &next.conf->tf);
    stage_announce(&next, true);
    stage_free(&g->stage, &next, &g->totals_base);
    g->stage = next;
    g->reload_failed = false;
    g->loaded_us = clock_wall_us();
    begin_leaf_keys(g);
    say("reloaded");
}

/* Metrics. */

static void sum_up(struct gateway *g, struct totals *t)
{
    *t = g->totals_base;
    for (size_t i = 0; i < g->loop_count; i++)
        totals_add(t, &g->loops[i]->counters);
    stage_add_lines(&g->stage, t);
    if (g->stage.inventory != NULL)
        t->values[COUNTER_INVENTORY_DROPPED] = inventory_dropped(g->stage.inventory);
}

static void on_metrics(void *arg, struct tf_writer *w)
{
    const struct gateway *g = arg;
    struct metrics_state state = {.now_s = clock_wall_us() / 1000000,
                                  .started_s = g->started_us / 1000000,
                                  .is_ready = g->phase == SERVING,
                                  .reload_failed = g->reload_failed,
                                  .loaded_s = g->loaded_us / 1000000};
    struct totals t;
    sum_up(arg, &t);
    metrics_look(&state, &g->stage);
    metrics_format(w, &t, &state);
}

/* What the admin socket asks for. */

static void on_status(void *arg, FILE *to)
{
    const struct gateway *g = arg;
    struct totals t;
    sum_up(arg, &t);
    struct status s = {.stage = &g->stage,
                       .totals = &t,
                       .admin = &g->admin_address,
                       .now_us = clock_wall_us(),
                       .started_us = g->started_us,
                       .is_draining = g->phase != SERVING};
    status_write(to, &s);
}

static const struct tf_conf *on_conf(void *arg)
{
    const struct gateway *g = arg;
    return &g->stage.conf->tf;
}

static struct inventory *on_inventory(void *arg)
{
    const struct gateway *g = arg;
    return g->stage.inventory;
}

static bool on_ready(void *arg)
{
    const struct gateway *g = arg;
    return g->phase == SERVING;
}

/* Signals. */

static void begin_drain(struct gateway *g)
{
    bool is_first = g->phase != DRAINING;
    uint32_t drain_ms = is_first ? g->stage.conf->tf.limits.drain_ms : 0;
    if (is_first)
        fprintf(stderr, "tlsfloor: draining: live sessions have %u s; signal again to end at once\n",
                (unsigned)(drain_ms / 1000));
    g->phase = DRAINING;
    uv_timer_stop(&g->grace);
    for (size_t i = 0; i < g->loop_count; i++)
        while (!loop_drain(g->loops[i], drain_ms))
            usleep(10000);
}

static void on_grace_over(uv_timer_t *timer)
{
    begin_drain(timer->data);
}

/* A load balancer hears of the end by /readyz, and goes on sending clients until it has asked. */
static void begin_end(struct gateway *g)
{
    uint32_t grace_ms = g->stage.conf->tf.limits.grace_ms;
    if (g->phase != SERVING || grace_ms == 0) {
        begin_drain(g);
        return;
    }
    g->phase = LEAVING;
    fprintf(stderr,
            "tlsfloor: leaving: /readyz says so, and new connections are taken for %u s yet; signal again "
            "to refuse them\n",
            (unsigned)(grace_ms / 1000));
    uv_timer_start(&g->grace, on_grace_over, grace_ms, 0);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct gateway *g = handle->data;
    if (signum == SIGTERM || signum == SIGINT) {
        begin_end(g);
    } else if (signum == SIGHUP && g->phase == SERVING) {
        reload(g);
    } else if (signum == SIGUSR1) {
        if (g->stage.block != NULL)
            journal_reopen(g->stage.block);
        if (g->stage.access != NULL)
            journal_reopen(g->stage.access);
        say("log files are opened anew");
    }
}

static void watch_signals(struct gateway *g)
{
    for (size_t i = 0; i < WATCHED; i++) {
        uv_signal_init(&g->uv, &g->signals[i]);
        g->signals[i].data = g;
        uv_signal_start(&g->signals[i], on_signal, watched[i]);
    }
    /* A peer that is gone, or a full log, is an error code to us, not the end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* Without its handler a signal kills, and the last records are still to be written: so they are blocked
 * first. */
static void close_signals(struct gateway *g)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < WATCHED; i++)
        sigaddset(&set, watched[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < WATCHED; i++)
        uv_close((uv_handle_t *)&g->signals[i], NULL);
}

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
    close_signals(g);
    uv_close((uv_handle_t *)&g->grace, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

/* Start. */

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
    struct admin_source source = {.arg = g,
                                  .metrics = on_metrics,
                                  .ready = on_ready,
                                  .status = on_status,
                                  .conf = on_conf,
                                  .inventory = on_inventory};
    if (!conf->admin_on)
        return true;
    g->admin = admin_start(&g->uv, &conf->admin, source, &g->admin_address, error, size);
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

static bool start(struct gateway *g, struct conf *conf, char *error, size_t size)
{
    g->started_us = g->loaded_us = clock_wall_us();
    raise_file_limit();
    g->loop_count = conf->tf.threads > 0 ? conf->tf.threads : uv_available_parallelism();
    g->loops = calloc(g->loop_count, sizeof *g->loops);
    if (g->loops == NULL || uv_loop_init(&g->uv) != 0) {
        snprintf(error, size, "out of memory");
        return false;
    }
    uv_async_init(&g->uv, &g->loop_over, on_loops_over);
    g->loop_over.data = g;
    uv_timer_init(&g->uv, &g->grace);
    g->grace.data = g;
    watch_signals(g);
    if (!start_admin(g, &conf->tf, error, size)) {
        conf_unref(conf);
        return false;
    }
    return build_stage(g, &g->stage, conf, error, size) && start_loops(g, error, size);
}

static void finish(struct gateway *g)
{
    stage_free(&g->stage, NULL, &g->totals_base);
    g->stage = (struct stage){.conf = NULL};
    struct totals t;
    sum_up(g, &t);
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
    uv_loop_close(&g->uv);
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
    struct conf *conf = conf_load(g.file, stderr);
    if (conf == NULL) {
        say("not started: see above");
        return EXIT_CANNOT_START;
    }
    if (!start(&g, conf, error, sizeof error)) {
        fprintf(stderr, "tlsfloor: not started: %s\n", error);
        return EXIT_CANNOT_START;
    }
    begin_leaf_keys(&g);
    stage_announce(&g.stage, false);
    fprintf(
        stderr,
        "tlsfloor: room for %zu connections at once, by [limits] connections or the limit on open files\n",
        g.stage.settings[0].session_max * g.loop_count);
    say(tls_can_tls10() ? "this OpenSSL can do TLS 1.0, for clients that are upgraded"
                        : "this OpenSSL cannot do TLS 1.0 at all: clients that need it cannot be upgraded");
    say("ready");
    uv_run(&g.uv, UV_RUN_DEFAULT);
    finish(&g);
    return 0;
}
