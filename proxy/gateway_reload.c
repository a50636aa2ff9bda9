/* SIGHUP: the next stage is built whole, and only then the loops are moved
 * over; see gateway_parts.h. */
#include "gateway_parts.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool gateway_build_stage(struct gateway *g, struct stage *next, struct conf *conf, char *error, size_t size)
{
    bool is_first = g->stage.conf == NULL;
    return stage_build(next, conf, is_first ? NULL : &g->stage, is_first ? &g->inherited : NULL,
                       g->loop_count, g->admin != NULL ? &g->admin_address : NULL, error, size);
}

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

void gateway_begin_leaf_keys(struct gateway *g)
{
    struct ca *ca = g->stage.tls != NULL ? tls_ca(g->stage.tls) : NULL;
    uv_work_t *work = ca != NULL ? malloc(sizeof *work) : NULL;
    if (work == NULL)
        return;
    work->data = ca_ref(ca);
    if (uv_queue_work(&g->uv, work, make_leaf_keys, on_leaf_keys) != 0)
        on_leaf_keys(work, 0);
}

/* What is made once, at the start. */
static void say_what_needs_a_restart(const struct tf_conf *old, const struct tf_conf *new)
{
    if (old->admin_on != new->admin_on || old->admin.port != new->admin.port ||
        !tf_addr_same_ip(&old->admin, &new->admin))
        gateway_say("[admin] listen has changed: that needs a restart");
    if (old->threads != new->threads)
        gateway_say("[gateway] threads has changed: that needs a restart");
    if (strcmp(old->inventory.file, new->inventory.file) != 0)
        gateway_say("[inventory] file has changed: that needs a restart");
    if (old->limits.inventory_queue != new->limits.inventory_queue ||
        old->limits.acquaintances != new->limits.acquaintances)
        gateway_say("[limits] inventory_queue or acquaintances has changed: that needs a restart");
    if (old->limits.log_bytes != new->limits.log_bytes)
        gateway_say("[limits] log_bytes has changed: logs that stay open need a restart for that");
}

static void on_changed(void *arg)
{
    uv_sem_post(arg);
}

/* False: it is said why, and nothing has changed. */
static bool build_next(struct gateway *g, struct stage *next)
{
    char error[512];
    struct conf *conf = conf_load(g->file, stderr);
    if (conf == NULL)
        gateway_say("reload refused, the settings in force stay: see above");
    else if (gateway_build_stage(g, next, conf, error, sizeof error))
        return true;
    else
        fprintf(stderr, "tlsfloor: reload refused, the settings in force stay: %s\n", error);
    return false;
}

static void move_over(struct gateway *g, struct stage *next)
{
    uv_sem_t changed;
    uv_sem_init(&changed, 0);
    for (size_t i = 0; i < g->loop_count; i++)
        while (!loop_change(g->loops[i], &next->settings[i], on_changed, &changed))
            usleep(10000); /* out of memory for a moment; half a reload would be worse than a late one */
    for (size_t i = 0; i < g->loop_count; i++)
        uv_sem_wait(&changed);
    uv_sem_destroy(&changed);
    say_what_needs_a_restart(&g->stage.conf->tf, &next->conf->tf);
    stage_announce(next, true);
    sockets_say_kept(&g->stage.sockets, &next->sockets);
    stage_free(&g->stage, next, &g->totals_base);
    g->stage = *next;
    g->loaded_us = clock_wall_us();
    gateway_begin_leaf_keys(g);
}

void gateway_reload(struct gateway *g)
{
    struct stage next;
    notify_reloading(&g->notifier);
    g->reload_failed = !build_next(g, &next);
    if (!g->reload_failed) {
        move_over(g, &next);
        gateway_say("reloaded");
    }
    notify(&g->notifier, "READY=1\nSTATUS=%s",
           g->reload_failed ? "reload refused, the settings before it stay in force: see the log"
                            : "serving");
}
