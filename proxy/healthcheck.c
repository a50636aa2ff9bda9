/* One question to the admin socket, for containers, whose images have no curl;
 * see healthcheck.h. The way to it is found in the settings, as `run` finds it. */
#include "healthcheck.h"

#include "conf_load.h"
#include "fetch.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FINE = 0, FINDING = 1, USAGE = 2 };

/* Longer than any answer to /readyz; of who says more, this much is read. */
enum { ANSWER_MAX = 2048 };

/* Where a socket that listens on `admin` can be reached from this machine. */
static struct tf_addr way_to(const struct tf_addr *admin)
{
    static const struct tf_addr v4 = {.family = TF_FAMILY_V4, .ip = {127, 0, 0, 1}};
    static const struct tf_addr v6 = {.family = TF_FAMILY_V6, .ip = {[15] = 1}};
    struct tf_addr way = *admin;
    if (admin->family == TF_FAMILY_NONE || tf_addr_class(admin) == TF_CLASS_UNSPECIFIED)
        way = admin->family == TF_FAMILY_V6 ? v6 : v4;
    way.port = admin->port;
    return way;
}

static bool send_all(int fd, struct tf_text text, uint64_t deadline_ms)
{
    while (text.n > 0) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n > 0) {
            text.p += n;
            text.n -= (size_t)n;
        } else if (errno != EINTR && !(errno == EAGAIN && fetch_wait(fd, POLLOUT, deadline_ms))) {
            return false;
        }
    }
    return true;
}

/* To the end, or as much as there is room for. */
static bool receive_all(int fd, struct tf_writer *answer, uint64_t deadline_ms)
{
    char part[512];
    while (!answer->full) {
        ssize_t n = recv(fd, part, sizeof part, 0);
        if (n == 0)
            return true;
        if (n > 0)
            tf_put(answer, part, (size_t)n);
        else if (errno != EINTR && !(errno == EAGAIN && fetch_wait(fd, POLLIN, deadline_ms)))
            return false;
    }
    return true;
}

/* A status alone says nothing: another program may have the port, and an answer for every path. */
static bool is_answer(struct tf_text answer, const char *status, const char *body)
{
    return tf_text_begins(answer, status) && tf_text_ends(answer, body);
}

bool healthcheck_ask(const struct tf_addr *admin, uint32_t timeout_ms, char *error, size_t size)
{
    uint64_t deadline_ms = fetch_now_ms() + timeout_ms;
    struct tf_addr way = way_to(admin);
    char where[TF_ADDR_TEXT_MAX] = "", request[128], text[ANSWER_MAX];
    struct tf_writer w = tf_writer_of(where, sizeof where - 1);
    struct tf_writer answer = tf_writer_of(text, sizeof text);
    tf_put_addr_port(&w, &way);
    int n = snprintf(request, sizeof request, "GET /readyz HTTP/1.1\r\nHost: %s\r\n\r\n", where);

    int fd = fetch_connect_to(&way, deadline_ms);
    bool heard = fd >= 0 && send_all(fd, (struct tf_text){request, (size_t)n}, deadline_ms) &&
                 receive_all(fd, &answer, deadline_ms);
    int why = errno;
    if (fd >= 0)
        close(fd);
    struct tf_text said = {text, answer.len};
    if (heard && is_answer(said, "HTTP/1.1 200 ", "\r\n\r\nready\n"))
        return true;
    if (heard && is_answer(said, "HTTP/1.1 503 ", "\r\n\r\ndraining\n"))
        snprintf(error, size, "not ready: the gateway has been told to end, and takes no new clients");
    else if (heard)
        snprintf(error, size,
                 "who listens on %s is no tlsfloor; [admin] listen must be the gateway's own address", where);
    else if (fd < 0 && why == ECONNREFUSED)
        snprintf(error, size,
                 "nobody listens on %s; is the gateway running, and with the same file and environment?",
                 where);
    else
        snprintf(error, size, "%s does not answer (%s); is the gateway running, and not overloaded?", where,
                 strerror(why));
    return false;
}

static bool ask(const struct tf_conf *conf, char *error, size_t size)
{
    if (!conf->admin_on) {
        snprintf(error, size,
                 "[admin] listen is off, so nobody can be asked; write `listen = 127.0.0.1:9180`");
        return false;
    }
    if (conf->admin.port == 0) {
        snprintf(
            error, size,
            "[admin] listen has port 0, so only the gateway knows which port it has; write one, as 9180");
        return false;
    }
    return healthcheck_ask(&conf->admin, HEALTHCHECK_MS, error, size);
}

static int check(const char *file)
{
    char error[512] = "";
    char *warnings = NULL;
    size_t size = 0;
    /* What is asked every half minute does not repeat what `run` has warned of; it is shown only if it is
     * why. */
    FILE *memory = open_memstream(&warnings, &size);
    if (!memory) {
        fprintf(stderr, "tlsfloor healthcheck: out of memory\n");
        return FINDING;
    }
    struct conf *conf = conf_load(file, memory);
    fclose(memory);
    bool is_ready = conf && ask(&conf->tf, error, sizeof error);
    if (is_ready)
        puts("ready");
    else if (conf)
        fprintf(stderr, "tlsfloor healthcheck: %s\n", error);
    else
        fprintf(stderr, "%stlsfloor healthcheck: where to ask is not known: see above\n", warnings);
    if (conf)
        conf_unref(conf);
    free(warnings);
    return is_ready ? FINE : FINDING;
}

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor healthcheck " HEALTHCHECK_ARGUMENTS "\n");
    return code;
}

int healthcheck_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *file = conf_default_file();
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (option != 'c')
            return option == 'h' ? usage(stdout, FINE) : usage(stderr, USAGE);
        file = optarg;
    }
    if (optind == argc)
        return check(file);
    fprintf(stderr, "%s: '%s' is not expected; the file is given with -c\n", argv[0], argv[optind]);
    return USAGE;
}
