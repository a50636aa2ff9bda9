/* Signals, and the phases that they begin; see gateway_parts.h. */
#include "gateway_parts.h"

#include <signal.h>
#include <unistd.h>

static const int watched[GATEWAY_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

/* --- the end --- */

void gateway_begin_drain(struct gateway *g)
{
    bool is_first = g->phase != DRAINING;
    uint32_t drain_ms = is_first ? g->stage.conf->tf.limits.drain_ms : 0;
    if (is_first)
        fprintf(stderr, "tlsfloor: draining: live sessions have %u s; signal again to end at once\n",
                (unsigned)(drain_ms / 1000));
    g->phase = DRAINING;
    uv_timer_stop(&g->grace);
    for (size_t i = 0; i < g->loop_count; i++)
        while (!loop_drain(g->loops[i], drain_ms, g->is_handed_over))
            usleep(10000);
}

static void on_grace_over(uv_timer_t *timer)
{
    gateway_begin_drain(timer->data);
}

/* The service manager is told how long it may take, since it would wait for its own time only. */
static void tell_of_end(const struct gateway *g)
{
    enum { SPARE_MS = 10000 }; /* for the last lines of the logs */
    const struct tf_limits *limits = &g->stage.conf->tf.limits;
    uint64_t ms = (uint64_t)limits->grace_ms + limits->drain_ms + SPARE_MS;
    notify(&g->notifier, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=draining",
           (unsigned long long)ms * 1000);
}

/* A load balancer hears of the end by /readyz, and goes on sending clients until it has asked. */
static void begin_end(struct gateway *g)
{
    uint32_t grace_ms = g->stage.conf->tf.limits.grace_ms;
    gateway_cancel_handover(g);
    if (g->phase == SERVING)
        tell_of_end(g);
    if (g->phase != SERVING || grace_ms == 0) {
        gateway_begin_drain(g);
        return;
    }
    g->phase = LEAVING;
    fprintf(stderr,
            "tlsfloor: leaving: /readyz says so, and new connections are taken for %u s yet; signal again "
            "to refuse them\n",
            (unsigned)(grace_ms / 1000));
    uv_timer_start(&g->grace, on_grace_over, grace_ms, 0);
}

/* --- the signals --- */

static void reopen_logs(struct gateway *g)
{
    if (g->stage.block != NULL)
        journal_reopen(g->stage.block);
    if (g->stage.access != NULL)
        journal_reopen(g->stage.access);
    gateway_say("log files are opened anew");
}

static void on_signal(uv_signal_t *handle, int signum)
{
    struct gateway *g = handle->data;
    if (signum == SIGTERM || signum == SIGINT)
        begin_end(g);
    else if (signum == SIGHUP && handover_is_under_way(&g->handover))
        gateway_say("not reloaded: a handover is under way, and the new gateway has just read the file");
    else if (signum == SIGHUP && g->phase == SERVING)
        gateway_reload(g);
    else if (signum == SIGUSR1)
        reopen_logs(g);
    else if (signum == SIGUSR2)
        gateway_hand_over(g);
}

static void mask_signals(int how)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < GATEWAY_SIGNALS; i++)
        sigaddset(&set, watched[i]);
    pthread_sigmask(how, &set, NULL);
}

void gateway_hold_signals(void)
{
    mask_signals(SIG_BLOCK);
    /* As process 1 of a container we are given everybody's orphans: the kernel is to bury them. Elsewhere who
     * has started us may have ignored it, and a successor's exit code would be lost. */
    signal(SIGCHLD, getpid() == 1 ? SIG_IGN : SIG_DFL);
}

void gateway_watch_signals(struct gateway *g)
{
    for (size_t i = 0; i < GATEWAY_SIGNALS; i++) {
        uv_signal_init(&g->uv, &g->signals[i]);
        g->signals[i].data = g;
        uv_signal_start(&g->signals[i], on_signal, watched[i]);
    }
    mask_signals(SIG_UNBLOCK);
    /* A peer that is gone, or a full log, is an error code to us, not the end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

void gateway_close_signals(struct gateway *g)
{
    mask_signals(SIG_BLOCK);
    for (size_t i = 0; i < GATEWAY_SIGNALS; i++)
        uv_close((uv_handle_t *)&g->signals[i], NULL);
}
