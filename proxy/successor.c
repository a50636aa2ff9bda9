/* fork and exec; see successor.h. Between them only what is safe in the one
 * thread that is left of many: everything is made ready before. */
#include "successor.h"

#include "../lib/bytes.h"
#include "handover.h"
#include "inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_CANNOT_RUN = 127, PID_DIGITS = 20 };

/* What the new process begins with. */
struct plan {
    const struct program *program;
    int *fds; /* to become INHERIT_FIRST and those after it */
    size_t count;
    char **environment;
    char *listen_fds, *names;
    char listen_pid[sizeof "LISTEN_PID=" + PID_DIGITS]; /* these two wait for the process id */
    char watchdog_pid[sizeof "WATCHDOG_PID=" + PID_DIGITS];
    sigset_t mask;
};

static bool is_variable(const char *entry, const char *name)
{
    size_t n = strlen(name);
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

/* `LISTEN_FDNAMES=a:b:c`. NULL: out of memory. */
static char *join_names(const struct handed *list, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL)
        return NULL;
    fprintf(f, "LISTEN_FDNAMES=");
    for (size_t i = 0; i < count; i++)
        fprintf(f, "%s%s%s", i > 0 ? ":" : "", list[i].name, list[i].mark);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

/* Ours, with the process ids that are in it those of the new process. */
static bool make_environment(struct plan *plan)
{
    enum { OWN = 4 };
    size_t count = 0, n = 0;
    while (environ[count] != NULL)
        count++;
    plan->environment = calloc(count + OWN + 1, sizeof *plan->environment);
    if (plan->environment == NULL || plan->names == NULL ||
        asprintf(&plan->listen_fds, "LISTEN_FDS=%zu", plan->count) < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        plan->environment[n++] = is_variable(environ[i], "WATCHDOG_PID") ? plan->watchdog_pid : environ[i];
    plan->environment[n++] = plan->listen_pid;
    plan->environment[n++] = plan->listen_fds;
    plan->environment[n] = plan->names;
    return true;
}

static void put_pid(char *to, size_t size, const char *variable)
{
    struct tf_writer w = tf_writer_of(to, size - 1);
    tf_put_text(&w, variable);
    tf_put_u64(&w, (uint64_t)getpid());
    to[w.len] = '\0';
}

/* Puts every descriptor into its place, by way of one where none of them belongs. */
static bool place_fds(struct plan *plan)
{
    int behind = INHERIT_FIRST + (int)plan->count;
    for (size_t i = 0; i < plan->count; i++) {
        plan->fds[i] = fcntl(plan->fds[i], F_DUPFD, behind);
        if (plan->fds[i] < 0)
            return false;
    }
    for (size_t i = 0; i < plan->count; i++)
        if (dup2(plan->fds[i], INHERIT_FIRST + (int)i) < 0)
            return false;
    close_range((unsigned)behind, ~0U, 0); /* whatever else is open is not marked to be closed by exec */
    return true;
}

/* In the new process. Handlers of ours must not run there, nor must signals wait. */
_Noreturn static void become(struct plan *plan)
{
    for (int signum = 1; signum < NSIG; signum++)
        signal(signum, SIG_DFL);
    sigprocmask(SIG_SETMASK, &plan->mask, NULL);
    put_pid(plan->listen_pid, sizeof plan->listen_pid, "LISTEN_PID=");
    put_pid(plan->watchdog_pid, sizeof plan->watchdog_pid, "WATCHDOG_PID=");
    if (!place_fds(plan))
        _exit(EXIT_CANNOT_RUN); /* out of descriptors, also for saying so */
    execve(plan->program->path, plan->program->argv, plan->environment);
    struct handover_message why = {HANDOVER_CANNOT_RUN, (uint32_t)errno};
    send(INHERIT_FIRST + (int)plan->count - 1, &why, sizeof why, MSG_NOSIGNAL);
    _exit(EXIT_CANNOT_RUN);
}

static pid_t run(struct plan *plan)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &plan->mask);
    pid_t pid = fork();
    if (pid == 0)
        become(plan);
    int why = errno;
    pthread_sigmask(SIG_SETMASK, &plan->mask, NULL);
    errno = why;
    return pid;
}

pid_t successor_start(const struct program *program, const struct handed *list, size_t count)
{
    struct plan plan = {.program = program, .count = count};
    pid_t pid = -1;
    plan.fds = calloc(count, sizeof *plan.fds);
    plan.names = join_names(list, count);
    if (plan.fds != NULL && make_environment(&plan)) {
        for (size_t i = 0; i < count; i++)
            plan.fds[i] = list[i].fd;
        pid = run(&plan);
    }
    int why = errno;
    free(plan.fds);
    free(plan.names);
    free(plan.listen_fds);
    free(plan.environment);
    errno = why;
    return pid;
}
