/* Building and letting go of stages; see stage.h. */
#include "stage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { FLUSH_MS = 5000 }; /* for a log that is closed to take its last lines */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* The journal for `path`: the old stage's if it has the same, else a new one. False: it cannot be opened. */
static bool take_journal(struct journal **out, const char *path, struct journal *old, const char *old_path,
                         uint32_t bytes, char *error, size_t size)
{
    *out = NULL;
    if (same_text(path, "off"))
        return true;
    if (old != NULL && same_text(path, old_path)) {
        *out = old;
        return true;
    }
    *out = journal_open(path, bytes, error, size);
    return *out != NULL;
}

static void close_journal(struct journal *j, struct totals *totals, enum counter written,
                          enum counter dropped)
{
    if (j == NULL)
        return;
    uint64_t lines, lost;
    journal_close(j, FLUSH_MS, &lines, &lost);
    totals->values[written] += lines;
    totals->values[dropped] += lost;
}

void stage_free(struct stage *stage, const struct stage *next, struct totals *totals)
{
    if (next == NULL || next->block != stage->block)
        close_journal(stage->block, totals, COUNTER_LOG_WRITTEN, COUNTER_LOG_DROPPED);
    if (next == NULL || next->access != stage->access)
        close_journal(stage->access, totals, COUNTER_ACCESS_LOG_WRITTEN, COUNTER_ACCESS_LOG_DROPPED);
    for (size_t i = 0; stage->settings != NULL && i < stage->loops; i++)
        free(stage->settings[i].listening);
    free(stage->settings);
    tls_unref(stage->tls);
    for (size_t i = 0; i < stage->door_count; i++)
        door_close(&stage->doors[i]);
    free(stage->doors);
    if (next == NULL || next->census != stage->census)
        census_free(stage->census);
    if (next == NULL || next->own_ports != stage->own_ports)
        own_ports_free(stage->own_ports);
    sockets_free(&stage->sockets);
    conf_unref(stage->conf);
}

/* What each loop takes at most. A session needs two descriptors; the pools, the logs and the libraries need
 * some as well. */
static size_t sessions_per_loop(size_t loops, const struct tf_limits *limits)
{
    enum { OTHER_FDS = 64 };
    struct rlimit files = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &files);
    size_t fds = files.rlim_cur < 100000000 ? (size_t)files.rlim_cur : 100000000;
    size_t taken = OTHER_FDS + loops * 2 * (size_t)limits->pipes;
    size_t most = fds > taken + 16 ? (fds - taken) / 2 : 8;
    if (limits->connections > 0 && limits->connections < most)
        most = limits->connections;
    return (most + loops - 1) / loops;
}

static bool make_settings(struct stage *stage)
{
    size_t session_max = sessions_per_loop(stage->loops, &stage->conf->tf.limits);
    stage->settings = calloc(stage->loops, sizeof *stage->settings);
    for (size_t i = 0; stage->settings != NULL && i < stage->loops; i++) {
        stage->settings[i] = (struct setting){.conf = stage->conf,
                                              .block = stage->block,
                                              .access = stage->access,
                                              .tls = stage->tls,
                                              .doors = stage->doors,
                                              .door_count = stage->door_count,
                                              .parent_login = stage->parent_login,
                                              .census = stage->census,
                                              .own_ports = stage->own_ports,
                                              .listening = sockets_of_loop(&stage->sockets, i),
                                              .listening_count = stage->sockets.count,
                                              .session_max = session_max};
        if (stage->settings[i].listening == NULL)
            return false;
    }
    return stage->settings != NULL;
}

/* Tells the access checks which addresses are our own. */
static bool note_own_addresses(struct stage *stage, const struct tf_addr *admin)
{
    size_t count = stage->sockets.count;
    struct tf_addr *own = calloc(count + 1, sizeof *own);
    if (own == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        own[i] = stage->sockets.list[i].actual;
    if (admin != NULL)
        own[count++] = *admin;
    bool ok = conf_set_bound(stage->conf, own, count);
    free(own);
    return ok;
}

/* The CA, made where there is none if `may_make`. */
static struct ca *take_ca(const struct tf_conf *tf, bool may_make, char *error, size_t size)
{
    bool missing;
    struct ca *ca = ca_load(tf, &missing, error, size);
    if (ca != NULL || !missing || !may_make || !ca_make(tf, false, error, size))
        return ca;
    fprintf(
        stderr,
        "tlsfloor: made a CA in %s; clients that are to be upgraded must trust it: tlsfloor ca export%s\n",
        tf->ca.directory, ca_option(tf));
    return ca_load(tf, NULL, error, size);
}

/* Takes over the reference to the CA, which may be NULL. */
static bool make_tls(struct stage *stage, struct ca *ca, const struct stage *old, char *error, size_t size)
{
    stage->tls = tls_new(&stage->conf->tf, ca, old != NULL ? old->tls : NULL, error, size);
    if (stage->tls == NULL && ca != NULL)
        ca_unref(ca);
    return stage->tls != NULL;
}

/* Whether some listener speaks TLS to servers even if nobody trusts a CA of ours. */
static bool wants_tls(const struct tf_conf *tf)
{
    for (const struct tf_listener *l = tf->listeners; l != NULL; l = l->next)
        if (l->bridge || (l->certificate[0] && !l->tls))
            return true;
    return false;
}

/* Without a CA nobody is upgraded. That is no reason not to hold the floor, unless a rule counts on it, or
 * clients do: a reload that does not find the CA in use must neither end upgrades nor make another one, which
 * no client would trust. */
static bool take_tls(struct stage *stage, const struct stage *old, char *error, size_t size)
{
    struct tf_conf *tf = &stage->conf->tf;
    if (!tf->policy.can_upgrade)
        return !wants_tls(tf) || make_tls(stage, NULL, old, error, size);
    bool is_first = old == NULL || old->tls == NULL || tls_ca(old->tls) == NULL;
    struct ca *ca = take_ca(tf, is_first, error, size);
    if (ca == NULL && (!is_first || tf_policy_has_action(&tf->policy, TF_ACTION_UPGRADE)))
        return false;
    if (ca == NULL) {
        fprintf(stderr, "tlsfloor: nobody is upgraded: %s\n", error);
        tf->policy.can_upgrade = false;
        return !wants_tls(tf) || make_tls(stage, NULL, old, error, size);
    }
    if (!is_first)
        ca_share_leaf_keys(ca, tls_ca(old->tls));
    ca_report_outgrown(ca, tf, stderr);
    return make_tls(stage, ca, old, error, size);
}

/* What listeners have of their own; what the old stage's of the same name know is taken over. */
static bool open_doors(struct stage *stage, const struct stage *old, char *error, size_t size)
{
    const struct tf_conf *tf = &stage->conf->tf;
    size_t n = 1; /* so that there is something to hold */
    for (const struct tf_listener *l = tf->listeners; l != NULL; l = l->next)
        n++;
    stage->doors = calloc(n, sizeof *stage->doors);
    if (stage->doors == NULL) {
        snprintf(error, size, "out of memory");
        return false;
    }
    for (const struct tf_listener *l = tf->listeners; l != NULL; l = l->next) {
        const struct door *before = NULL;
        for (size_t i = 0; old != NULL && i < old->door_count; i++)
            if (strcmp(old->doors[i].listener->name, l->name) == 0)
                before = &old->doors[i];
        if (!door_open(&stage->doors[stage->door_count], tf, l, before, error, size))
            return false;
        stage->door_count++;
    }
    return true;
}

static bool has_transparent(const struct tf_conf *conf)
{
    for (const struct tf_listener *l = conf->listeners; l != NULL; l = l->next)
        if (l->kind == TF_KIND_TRANSPARENT)
            return true;
    return false;
}

/* What all stages share. */
static bool take_shared(struct stage *stage, const struct stage *old)
{
    stage->census = old != NULL ? old->census : census_new();
    stage->own_ports = old != NULL ? old->own_ports : NULL;
    if (stage->own_ports == NULL && has_transparent(&stage->conf->tf)) {
        stage->own_ports = own_ports_new();
        return stage->census != NULL && stage->own_ports != NULL;
    }
    return stage->census != NULL;
}

bool stage_build(struct stage *next, struct conf *conf, const struct stage *old, size_t loops,
                 const struct tf_addr *admin, char *error, size_t size)
{
    const struct tf_conf *tf = &conf->tf;
    *next = (struct stage){.conf = conf, .loops = loops};
    if (!sockets_open(&next->sockets, tf, old != NULL ? &old->sockets : NULL, loops, error, size)) {
        conf_unref(conf);
        return false;
    }
    bool ok = take_journal(&next->block, tf->log.block, old != NULL ? old->block : NULL,
                           old != NULL ? old->conf->tf.log.block : "", tf->limits.log_bytes, error, size) &&
              take_journal(&next->access, tf->log.access, old != NULL ? old->access : NULL,
                           old != NULL ? old->conf->tf.log.access : "", tf->limits.log_bytes, error, size);
    ok = ok && parent_login_load(tf, next->parent_login, error, size) && open_doors(next, old, error, size) &&
         take_tls(next, old, error, size);
    if (ok && !(take_shared(next, old) && note_own_addresses(next, admin) && make_settings(next))) {
        snprintf(error, size, "out of memory");
        ok = false;
    }
    if (ok)
        return true;
    struct totals none = {.values = {0}};
    sockets_undo(&next->sockets);
    stage_free(next, old, &none);
    return false;
}

void stage_add_lines(const struct stage *stage, struct totals *totals)
{
    if (stage->block != NULL) {
        totals->values[COUNTER_LOG_WRITTEN] += journal_written(stage->block);
        totals->values[COUNTER_LOG_DROPPED] += journal_dropped(stage->block);
    }
    if (stage->access != NULL) {
        totals->values[COUNTER_ACCESS_LOG_WRITTEN] += journal_written(stage->access);
        totals->values[COUNTER_ACCESS_LOG_DROPPED] += journal_dropped(stage->access);
    }
}

void stage_announce(const struct stage *stage, bool only_new)
{
    for (size_t i = 0; i < stage->sockets.count; i++) {
        const struct bound *b = &stage->sockets.list[i];
        char text[TF_ADDR_TEXT_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_addr_port(&w, &b->actual);
        if (b->is_new || !only_new)
            fprintf(stderr, "tlsfloor: listening on %.*s (%s)\n", (int)w.len, text, b->listener->name);
    }
}
