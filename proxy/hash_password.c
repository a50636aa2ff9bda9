/* `tlsfloor hash-password`: a password to a line for a file of users. It is
 * never an argument, which every user of the machine could read. */
#include "hash_password.h"

#include "../lib/sasl.h"
#include "users.h"
#include <crypt.h>
#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

enum { EXIT_FINDING = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor hash-password " HASH_PASSWORD_ARGUMENTS "\n");
    return code;
}

static bool fail(const char *sentence)
{
    fprintf(stderr, "tlsfloor hash-password: %s\n", sentence);
    return false;
}

/* The first line of standard input, byte by byte: what is buffered could not be wiped. */
static bool read_line(char out[TF_USER_MAX])
{
    size_t n = 0;
    ssize_t got;
    char c;
    while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
        if (n == TF_USER_MAX - 1)
            return fail("the password is longer than 255 bytes");
        if (c == '\0')
            return fail("the password has a zero byte, which no client can send");
        out[n++] = c;
    }
    if (got < 0)
        return fail(strerror(errno));
    if (n > 0 && out[n - 1] == '\r')
        n--;
    out[n] = '\0';
    return n > 0 || fail("there is no password");
}

/* With the echo off, until the line is there. A signal that would end us waits until the echo is back. */
static bool ask(const char *prompt, char out[TF_USER_MAX])
{
    struct termios shown, hidden;
    sigset_t ends, before;
    if (tcgetattr(STDIN_FILENO, &shown) != 0)
        return fail(strerror(errno));
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ECHONL;
    sigemptyset(&ends);
    for (const int *number = (const int[]){SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP, 0}; *number; number++)
        sigaddset(&ends, *number);
    sigprocmask(SIG_BLOCK, &ends, &before);
    struct pollfd either[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = signalfd(-1, &ends, SFD_CLOEXEC), .events = POLLIN}};
    bool ok = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 || fail(strerror(errno));
    if (ok)
        fputs(prompt, stderr); /* not before: what is typed from here on counts, and is not shown */
    ok = ok && poll(either, 2, -1) > 0 && !either[1].revents && read_line(out);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &shown);
    close(either[1].fd);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return ok;
}

/* From a terminal twice, since nobody sees what is typed. */
static bool read_password(char out[TF_USER_MAX])
{
    char again[TF_USER_MAX] = "";
    if (!isatty(STDIN_FILENO))
        return read_line(out);
    bool ok = ask("Password: ", out) && ask("The same again: ", again) &&
              (strcmp(out, again) == 0 || fail("the two are not the same"));
    tf_wipe(again, sizeof again);
    return ok;
}

/* With the kind of hash that crypt(3) thinks best, a new salt, and the usual cost. */
static bool print_hash(const char *user, const char *password)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data data = {0};
    const char *hash = crypt_gensalt_rn(NULL, 0, NULL, 0, setting, sizeof setting)
                           ? crypt_r(password, setting, &data)
                           : NULL;
    bool ok = hash && hash[0] != '*';
    if (ok)
        printf("%s%s%s\n", user ? user : "", user ? ":" : "", hash);
    OPENSSL_cleanse(&data, sizeof data);
    return ok || fail("crypt(3) cannot make a hash");
}

int hash_password_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"user", required_argument, NULL, 'u'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *user = NULL;
    char password[TF_USER_MAX];
    for (int option; (option = getopt_long(argc, argv, "u:h", options, NULL)) != -1;) {
        if (option == 'h')
            return usage(stdout, 0);
        if (option != 'u')
            return usage(stderr, EXIT_USAGE);
        user = optarg;
    }
    if (optind < argc)
        return usage(stderr, EXIT_USAGE);
    if (user && users_name_error(user)) {
        fail(users_name_error(user));
        return EXIT_USAGE;
    }
    int code = EXIT_FINDING;
    if (read_password(password))
        code = print_hash(user, password) ? 0 : EXIT_CANNOT;
    tf_wipe(password, sizeof password);
    return code;
}
