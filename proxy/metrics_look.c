/* Looking at a stage for what /metrics tells of it; see metrics_state.h. */
#include "metrics_state.h"

#include "certificate.h"
#include "inventory.h"
#include "stage.h"

/* The same distinctions as reports make. */
static void add_client(struct metrics_state *state, const struct roster_client *client, int64_t now_us)
{
    if (client->fixed_us != 0) {
        state->clients[CLIENTS_FIXED]++;
    } else if (client->below_us != 0 && roster_is_silent(client, now_us)) {
        state->clients[CLIENTS_SILENT]++;
    } else if (client->below_us != 0) {
        state->clients[CLIENTS_LEGACY]++;
        state->families[client->family]++;
    } else if (client->fallbacks > 0) {
        state->clients[CLIENTS_FALLBACK]++;
    }
}

static void look_at_inventory(struct metrics_state *state, struct inventory *inventory)
{
    const struct roster *roster = inventory_lock(inventory);
    for (size_t i = 0; i < roster_count(roster); i++)
        add_client(state, roster_at(roster, i), state->now_s * 1000000);
    inventory_unlock(inventory);
    state->is_inventory_failing = inventory_is_failing(inventory);
}

void metrics_look(struct metrics_state *state, const struct stage *stage)
{
    struct ca *ca = stage->tls != NULL ? tls_ca(stage->tls) : NULL;
    state->policy = &stage->conf->tf.policy;
    state->ca_until_s = ca != NULL ? certificate_seconds(X509_get0_notAfter(ca_certificate(ca))) : 0;
    state->endpoints_s = stage->conf->endpoints->as_of_s;
    state->vitals = vitals_now();
    state->has_inventory = stage->inventory != NULL;
    if (state->has_inventory)
        look_at_inventory(state, stage->inventory);
}
