/* What the parts of the gateway share. For gateway*.c only: gateway.c starts
 * it and ends it, gateway_signals.c is told by signals what phase begins,
 * gateway_reload.c and gateway_handover.c do what takes longer, and
 * gateway_view.c answers the admin socket.
 *
 * All of it is of the main thread, which has a libuv loop of its own and
 * never touches a session. */
#ifndef GATEWAY_PARTS_H
#define GATEWAY_PARTS_H

#include "admin.h"
#include "handover.h"
#include "notify.h"
#include "predecessor.h"
#include "stage.h"
#include "watchdog.h"

/* LEAVING: told to end, but new connections are taken for [limits] grace_s yet. */
enum phase { SERVING, LEAVING, DRAINING };

enum { GATEWAY_SIGNALS = 5 };

struct gateway {
    uv_loop_t uv;
    uv_signal_t signals[GATEWAY_SIGNALS];
    uv_timer_t grace;
    uv_async_t loop_over;
    const char *file;
    struct program program; /* path NULL: not known */
    struct loop **loops;
    size_t loop_count;
    struct stage stage;
    struct admin *admin;
    struct tf_addr admin_address;
    struct totals totals_base; /* what journals of earlier stages wrote and dropped */
    enum phase phase;
    int64_t started_us, loaded_us; /* UTC; loaded_us: since when the settings are in force */
    bool reload_failed;            /* the last one */
    struct notifier notifier;
    struct watchdog watchdog;

    struct inherited inherited;
    struct predecessor predecessor; /* who hands over to us */
    struct handover handover;       /* to whom we do */
    bool has_let_go;                /* of the inventory's file, for the new one */
    bool is_handed_over;
    int heir; /* where sightings go after a handover, until all is over; else -1 */
};

/* --- gateway.c --- */

void gateway_say(const char *sentence);

/* --- gateway_signals.c --- */

/* Holds signals back until there are handlers, so that none is lost, and none kills, while we start. */
void gateway_hold_signals(void);
void gateway_watch_signals(struct gateway *g);
/* The last records are still to be written, so from now on signals are held back again. */
void gateway_close_signals(struct gateway *g);
void gateway_begin_drain(struct gateway *g);

/* --- gateway_reload.c --- */

bool gateway_build_stage(struct gateway *g, struct stage *next, struct conf *conf, char *error, size_t size);
void gateway_reload(struct gateway *g);
/* The keys of minted certificates take a while to make, and the first client should not wait for them. */
void gateway_begin_leaf_keys(struct gateway *g);

/* --- gateway_handover.c --- */

void gateway_hand_over(struct gateway *g);
/* The new gateway is not wanted any more. */
void gateway_cancel_handover(struct gateway *g);

/* --- gateway_view.c --- */

void gateway_sum_up(struct gateway *g, struct totals *t);
struct admin_source gateway_view(struct gateway *g);

#endif
