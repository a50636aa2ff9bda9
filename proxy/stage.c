/* Building and letting go of stages; see stage.h. */
#include "stage.h"

#include "predecessor.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { FLUSH_MS = 5000 }; /* for a log that is closed to take its last lines */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* The journal that is opened so: the old stage's if it is, else a new one. False: it cannot be opened. */
static bool take_journal(struct journal **out, const struct journal_options *options, struct journal *old,
                         char *error, size_t size)
{
    *out = NULL;
    if (same_text(options->sink, "off"))
        return true;
    *out = old != NULL && journal_is(old, options) ? old : journal_open(options, error, size);
    return *out != NULL;
}

/* Access lines are JSON, whatever the format of the others. */
static bool take_journals(struct stage *stage, const struct stage *old, char *error, size_t size)
{
    const struct tf_conf *tf = &stage->conf->tf;
    uint32_t bytes = tf->limits.log_bytes;
    struct journal_options block = {tf->log.block, "block", bytes, tf->log.format == TF_LOG_W3C};
    struct journal_options access = {tf->log.access, "access", bytes, false};
    return take_journal(&stage->block, &block, old != NULL ? old->block : NULL, error, size) &&
           take_journal(&stage->access, &access, old != NULL ? old->access : NULL, error, size);
}

static void add_block_lines(struct totals *totals, const struct journal_counts *counts)
{
    totals->values[COUNTER_LOG_WRITTEN] += counts->written;
    totals->values[COUNTER_LOG_DROPPED] += counts->dropped[JOURNAL_REFUSED];
    totals->values[COUNTER_LOG_DROPPED_WOULD_BLOCK] += counts->dropped[JOURNAL_WOULD_BLOCK];
    totals->values[COUNTER_LOG_DROPPED_OTHER] += counts->dropped[JOURNAL_OTHER];
}

static void add_access_lines(struct totals *totals, const struct journal_counts *counts)
{
    totals->values[COUNTER_ACCESS_LOG_WRITTEN] += counts->written;
    totals->values[COUNTER_ACCESS_LOG_DROPPED] += counts->dropped[JOURNAL_OTHER];
}

static void close_journal(struct journal *j, struct totals *totals,
                          void (*add)(struct totals *, const struct journal_counts *))
{
    struct journal_counts counts;
    if (j == NULL)
        return;
    journal_close(j, FLUSH_MS, &counts);
    add(totals, &counts);
}

void stage_free(struct stage *stage, const struct stage *next, struct totals *totals)
{
    if (next == NULL || next->block != stage->block)
        close_journal(stage->block, totals, add_block_lines);
    if (next == NULL || next->access != stage->access)
        close_journal(stage->access, totals, add_access_lines);
    for (size_t i = 0; stage->settings != NULL && i < stage->loops; i++)
        free(stage->settings[i].listening);
    free(stage->settings);
    tls_unref(stage->tls);
    if (stage->tickets != NULL && (next == NULL || next->tickets != stage->tickets))
        totals->values[COUNTER_TICKETS_UNKNOWN] += tickets_unknown(stage->tickets);
    tickets_unref(stage->tickets);
    for (size_t i = 0; i < stage->door_count; i++)
        door_close(&stage->doors[i]);
    free(stage->doors);
    if (next == NULL || next->census != stage->census)
        census_free(stage->census);
    if (next == NULL || next->inventory != stage->inventory)
        inventory_close(stage->inventory);
    if (next == NULL || next->acquaintances != stage->acquaintances)
        acquaintances_free(stage->acquaintances);
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
        size_t count;
        struct listening *listening = sockets_of_loop(&stage->sockets, i, &count);
        stage->settings[i] = (struct setting){.conf = stage->conf,
                                              .block = stage->block,
                                              .access = stage->access,
                                              .tls = stage->tls,
                                              .tickets = stage->tickets,
                                              .doors = stage->doors,
                                              .door_count = stage->door_count,
                                              .parent_login = stage->parent_login,
                                              .census = stage->census,
                                              .acquaintances = stage->acquaintances,
                                              .inventory = stage->inventory,
                                              .own_ports = stage->own_ports,
                                              .listening = listening,
                                              .listening_count = count,
                                              .session_max = session_max};
        if (listening == NULL)
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

/* Without a CA nobody is upgraded. That is no reason not to hold the floor, unless the settings count on it,
 * or clients do: a reload that does not find the CA in use must neither end upgrades nor make another one,
 * which no client would trust. */
static bool take_tls(struct stage *stage, const struct stage *old, char *error, size_t size)
{
    struct tf_conf *tf = &stage->conf->tf;
    if (!tf->policy.can_upgrade)
        return !wants_tls(tf) || make_tls(stage, NULL, old, error, size);
    bool is_first = old == NULL || old->tls == NULL || tls_ca(old->tls) == NULL;
    struct ca *ca = take_ca(tf, is_first && !tf->ca.must_be_there, error, size);
    if (ca == NULL && (!is_first || ca_is_needed(tf)))
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

/* Keys from a file are read anew; our own go on. */
static bool take_tickets(struct stage *stage, const struct stage *old, char *error, size_t size)
{
    const char *file = stage->conf->tf.ticket_keys_file;
    bool is_own = file[0] == '\0',
         goes_on = is_own && old != NULL && old->conf->tf.ticket_keys_file[0] == '\0';
    stage->tickets = goes_on ? tickets_ref(old->tickets) : tickets_new(file, error, size);
    return stage->tickets != NULL;
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
    stage->acquaintances =
        old != NULL ? old->acquaintances : acquaintances_new(stage->conf->tf.limits.acquaintances);
    stage->own_ports = old != NULL ? old->own_ports : NULL;
    bool needs_ports = stage->own_ports == NULL && has_transparent(&stage->conf->tf);
    if (needs_ports)
        stage->own_ports = own_ports_new();
    return stage->census != NULL && stage->acquaintances != NULL &&
           (!needs_ports || stage->own_ports != NULL);
}

/* Of the first stage, and then for good: only its bounds can change. */
static bool take_inventory(struct stage *stage, const struct stage *old, char *error, size_t size)
{
    const struct tf_conf *tf = &stage->conf->tf;
    struct inventory_options options = {.file = tf->inventory.file,
                                        .forget_days = tf->inventory.forget_days,
                                        .clients = tf->limits.inventory_clients,
                                        .destinations = tf->limits.inventory_destinations,
                                        .queue = tf->limits.inventory_queue,
                                        .acquaintances = stage->acquaintances};
    if (old != NULL) {
        stage->inventory = old->inventory;
        if (stage->inventory != NULL)
            inventory_set_bounds(stage->inventory, &options);
        return true;
    }
    if (same_text(tf->inventory.file, "off"))
        return true;
    stage->inventory = inventory_open(&options, error, size);
    return stage->inventory != NULL;
}

bool stage_build(struct stage *next, struct conf *conf, const struct stage *old, struct inherited *inherited,
                 size_t loops, const struct tf_addr *admin, char *error, size_t size)
{
    const struct tf_conf *tf = &conf->tf;
    *next = (struct stage){.conf = conf, .loops = loops};
    if (!sockets_open(&next->sockets, tf, old != NULL ? &old->sockets : NULL, inherited, loops, error,
                      size)) {
        conf_unref(conf);
        return false;
    }
    bool ok = take_journals(next, old, error, size);
    ok = ok && parent_login_load(tf, next->parent_login, error, size) &&
         take_tickets(next, old, error, size) && open_doors(next, old, error, size) &&
         take_tls(next, old, error, size);
    if (ok && !(take_shared(next, old) && note_own_addresses(next, admin))) {
        snprintf(error, size, "out of memory");
        ok = false;
    }
    if (ok && inherited != NULL && inherited->predecessor >= 0)
        predecessor_ask_for_inventory(inherited->predecessor); /* as late as can be */
    ok = ok && take_inventory(next, old, error, size);
    if (ok && !make_settings(next)) {
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
    struct journal_counts counts;
    if (stage->block != NULL) {
        journal_count(stage->block, &counts);
        add_block_lines(totals, &counts);
    }
    if (stage->access != NULL) {
        journal_count(stage->access, &counts);
        add_access_lines(totals, &counts);
    }
    if (stage->tickets != NULL)
        totals->values[COUNTER_TICKETS_UNKNOWN] += tickets_unknown(stage->tickets);
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
