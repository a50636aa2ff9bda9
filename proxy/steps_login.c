/* A login that a front has heard: checked against the listener's users, and
 * with a bridge turned into an OAuth token. The checks are made elsewhere
 * (login.h, oauth.h); this is what a session does meanwhile. */
#include "steps.h"

#include "../lib/sasl.h"
#include "loop.h"

#include <stdlib.h>
#include <string.h>

/* Who is wrong so often in one session is guessing, or goes on for ever: mail servers hang up as well. */
enum { WRONG_MAX = 3 };

static void on_checked(void *arg, bool ok)
{
    struct session *s = arg;
    struct login_check *check = &s->setup->login;
    check->wait = NULL;
    check->state = ok ? LOGIN_RIGHT : LOGIN_WRONG;
    session_run(s);
}

/* Cut where it is longer than there is room for. */
static void note_text(struct session *s, const char *why)
{
    struct tf_writer w = why_writer(s);
    size_t n = strlen(why);
    tf_put(&w, why, n < w.cap ? n : w.cap);
    note_why(s, &w);
}

static void on_token(void *arg, const char *token, const char *why)
{
    struct session *s = arg;
    struct login_check *check = &s->setup->login;
    check->token_wait = NULL;
    check->token = token != NULL ? strdup(token) : NULL;
    check->state = LOGIN_FETCHED;
    if (token == NULL)
        note_text(s, why);
    session_run(s);
}

/* Whether the user has room for one session more. Who logs in anew on a kept connection leaves first. */
static bool enter(struct session *s)
{
    struct census *census = s->loop->setting->census;
    census_leave(census, s->by_user);
    s->by_user = NULL;
    return census_enter_user(census, session_facts(s)->user, s->conf->tf.limits.per_user, &s->by_user);
}

static enum step_result begin_check(struct session *s, const struct door *door)
{
    struct login_check *check = &s->setup->login;
    struct logins *logins = &s->loop->logins;
    struct tf_facts *facts = session_facts(s);
    memcpy(facts->user, check->login.user, sizeof facts->user);
    facts->mailbox[0] = '\0'; /* of who was here before */
    if (login_is_known(logins, door->users, &check->login)) {
        check->state = LOGIN_RIGHT;
    } else {
        check->state = LOGIN_CHECKING;
        check->wait = login_start(logins, door->users, &check->login, on_checked, s);
    }
    tf_login_wipe(&check->login);
    if (check->state == LOGIN_CHECKING && check->wait == NULL)
        return refuse_for(s, TF_REASON_NO_RESOURCES);
    return check->state == LOGIN_CHECKING ? STEP_WAIT : STEP_NEXT;
}

static void count_login(struct session *s, bool ok)
{
    struct tf_facts *facts = session_facts(s);
    counters_add(&s->loop->counters, ok ? COUNTER_LOGINS_RIGHT : COUNTER_LOGINS_WRONG, 1);
    facts->is_login_wrong = !ok;
    facts->failed_logins += !ok;
}

/* The gateway logs in to the mailbox that the device's user stands for. */
static enum step_result begin_fetch(struct session *s, const struct door *door)
{
    struct login_check *check = &s->setup->login;
    struct tf_facts *facts = session_facts(s);
    const struct user *user = users_find(door->users, facts->user);
    if (user == NULL) /* a reload has taken it away */
        return refuse_for(s, TF_REASON_LOGIN_FAILED);
    struct tf_writer w = tf_writer_of(facts->mailbox, sizeof facts->mailbox - 1);
    tf_put_text(&w, user->mailbox);
    facts->mailbox[w.len] = '\0';
    check->state = LOGIN_FETCHING;
    check->token_wait =
        oauth_start(door->oauth, &s->loop->uv, s->conf, s->loop->setting->tls, facts->mailbox, on_token, s);
    return check->token_wait != NULL ? STEP_WAIT : refuse_for(s, TF_REASON_NO_RESOURCES);
}

static enum step_result tell_front(struct session *s, bool ok, struct tf_writer *to_client,
                                   struct tf_writer *to_server, enum tf_feed *feed)
{
    struct setup *setup = s->setup;
    struct tf_feed_io io = front_io(s, TF_CLIENT, to_client, to_server);
    *feed = setup->front->logged_in(setup->front_state, ok, setup->login.token, &io, &setup->facts);
    link_consume(&s->side[TF_CLIENT], s->loop, io.used);
    session_drop_login(s);
    return STEP_NEXT;
}

bool session_is_login_pending(const struct session *s)
{
    return s->setup->login.state != LOGIN_NONE;
}

/* Whether the listener still has what its logins need, which a reload may have taken away. */
static bool can_check(const struct session *s, const struct door *door)
{
    bool has_oauth = door != NULL && door->oauth != NULL && s->loop->setting->tls != NULL;
    return door != NULL && door->users != NULL && (has_oauth || !s->listener->bridge);
}

enum step_result session_login(struct session *s, struct tf_writer *to_client, struct tf_writer *to_server,
                               enum tf_feed *feed)
{
    struct login_check *check = &s->setup->login;
    const struct door *door = session_door(s);
    if (!can_check(s, door))
        return refuse_for(s, TF_REASON_LISTENER_GONE);
    if (check->state == LOGIN_NONE) {
        enum step_result r = begin_check(s, door);
        if (r != STEP_NEXT)
            return r;
    }
    switch (check->state) {
    case LOGIN_NONE:
    case LOGIN_CHECKING:
    case LOGIN_FETCHING:
        return STEP_WAIT;
    case LOGIN_WRONG:
        count_login(s, false);
        if (session_facts(s)->failed_logins == WRONG_MAX)
            return refuse_for(s, TF_REASON_LOGIN_FAILED);
        return tell_front(s, false, to_client, to_server, feed);
    case LOGIN_RIGHT:
        count_login(s, true);
        if (!enter(s))
            return refuse_for(s, TF_REASON_USER_LIMIT);
        if (s->listener->bridge)
            return begin_fetch(s, door);
        break;
    case LOGIN_FETCHED:
        if (check->token == NULL)
            return refuse_for(s, TF_REASON_OAUTH_FAILED);
        break;
    }
    return tell_front(s, true, to_client, to_server, feed);
}

void session_forget_token(struct session *s)
{
    struct tf_facts *facts = session_facts(s);
    if (!facts->is_token_refused)
        return;
    facts->is_token_refused = false;
    const struct door *door = session_door(s);
    if (door != NULL && door->oauth != NULL) /* else a reload has taken it away */
        oauth_forget(door->oauth, facts->mailbox);
}

void session_drop_login(struct session *s)
{
    struct login_check *check = &s->setup->login;
    if (check->wait != NULL)
        login_cancel(check->wait);
    if (check->token_wait != NULL)
        oauth_cancel(check->token_wait);
    if (check->token != NULL) {
        tf_wipe(check->token, strlen(check->token));
        free(check->token);
    }
    if (check->login.user[0] || check->login.password[0])
        tf_login_wipe(&check->login);
    check->wait = NULL;
    check->token_wait = NULL;
    check->token = NULL;
    check->state = LOGIN_NONE;
}
