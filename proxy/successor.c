/* fork and exec; see successor.h. Between them only what is safe in the one
 * thread that is left of many: everything is made ready before.
 *
 * A service manager wants its service's main process to be a child of its
 * own, or it neither learns how it ends nor gives it time to. So the new
 * process is not our child, but that of a middleman, which is not there any
 * more when the new one is to be the main process: whoever adopts orphans has
 * it then. The middleman tells us what only a parent learns. It never buries
 * its child, whose process id is therefore nobody else's. */
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
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
    pid_t self;
    int report[2]; /* a pipe from the middleman: the new one's process id or -errno; how it ended */
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

static void tell(const struct plan *plan, int number)
{
    if (write(plan->report[1], &number, sizeof number) != (ssize_t)sizeof number)
        _exit(EXIT_CANNOT_RUN); /* nobody is there */
}

/* False: the middleman is gone. */
static bool is_told(int report, int *number)
{
    return read(report, number, sizeof *number) == (ssize_t)sizeof *number;
}

/* The middleman. It has every signal blocked, and stays until it is killed, or we die. */
_Noreturn static void stand_between(struct plan *plan)
{
    siginfo_t end;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != plan->self)
        _exit(EXIT_CANNOT_RUN); /* we have died before */
    pid_t pid = fork();
    if (pid == 0)
        become(plan);
    tell(plan, pid > 0 ? (int)pid : -errno);
    plan->report[1] = dup2(plan->report[1], 0);
    close_range(1, ~0U, 0); /* nothing may stay open that others wait for the end of */
    if (pid > 0 && waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) == 0)
        tell(plan, end.si_code == CLD_EXITED ? end.si_status : -end.si_status);
    for (;;)
        pause();
}

static void end_middleman(struct successor *s)
{
    kill(s->middleman, SIGKILL);
    while (waitpid(s->middleman, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(s->report);
}

static bool run(struct plan *plan, struct successor *s)
{
    sigset_t all;
    int pid = -EAGAIN; /* as it stays where the middleman dies at once */
    if (pipe2(plan->report, O_CLOEXEC) != 0)
        return false;
    plan->self = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &plan->mask);
    s->middleman = fork();
    if (s->middleman == 0)
        stand_between(plan);
    int why = errno;
    pthread_sigmask(SIG_SETMASK, &plan->mask, NULL);
    close(plan->report[1]);
    s->report = plan->report[0];
    if (s->middleman < 0) {
        close(s->report);
        errno = why;
        return false;
    }
    is_told(s->report, &pid);
    s->pid = pid;
    if (pid > 0)
        return true;
    end_middleman(s);
    errno = -pid;
    return false;
}

bool successor_start(struct successor *s, const struct program *program, const struct handed *list,
                     size_t count)
{
    struct plan plan = {.program = program, .count = count};
    bool ok = false;
    plan.fds = calloc(count, sizeof *plan.fds);
    plan.names = join_names(list, count);
    if (plan.fds != NULL && make_environment(&plan)) {
        for (size_t i = 0; i < count; i++)
            plan.fds[i] = list[i].fd;
        ok = run(&plan, s);
    }
    int why = errno;
    free(plan.fds);
    free(plan.names);
    free(plan.listen_fds);
    free(plan.environment);
    errno = why;
    return ok;
}

int successor_end(struct successor *s)
{
    int end = -SIGKILL; /* as it stays where somebody has killed the middleman */
    kill(s->pid, SIGKILL);
    is_told(s->report, &end);
    end_middleman(s);
    return end;
}

void successor_release(struct successor *s)
{
    end_middleman(s);
}
