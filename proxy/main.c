/* `tlsfloor COMMAND ...`: finds the command, and says what there is. */
#include "ca.h"
#include "conf_load.h"
#include "endpoints.h"
#include "gateway.h"
#include "hash_password.h"
#include "healthcheck.h"
#include "inspect.h"
#include "pac.h"
#include "probe.h"
#include "remediate.h"
#include "report.h"
#include "version.h"
#include "winhttp_main.h"

#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static const struct command {
    const char *name;
    int (*main)(int argc, char **argv); /* argv[0] is the command; returns the exit code */
    const char *arguments, *text;
} commands[] = {
    {"run", gateway_main, RUN_ARGUMENTS, "run the gateway in the foreground"},
    {"check", check_main, CHECK_ARGUMENTS,
     "validate a configuration; --dump: what is in force, and why; --reference: every key there is"},
    {"explain", explain_main, EXPLAIN_ARGUMENTS, "which rule matches, which verdict, and why"},
    {"inspect", inspect_main, INSPECT_ARGUMENTS, "take a captured hello apart"},
    {"probe", probe_main, PROBE_ARGUMENTS,
     "which versions and suites a server takes, and whether it verifies"},
    {"report", report_main, REPORT_ARGUMENTS,
     "which clients are left to fix, from logs or the inventory; --floor 1.3: who would be blocked then"},
    {"ca", ca_main, CA_ARGUMENTS, "the gateway's own CA, whose certificates upgraded clients see"},
    {"endpoints", endpoints_main, ENDPOINTS_ARGUMENTS, "the Microsoft 365 endpoint set"},
    {"remediate", remediate_main, REMEDIATE_ARGUMENTS,
     "what to do about a kind of client, and its registry settings"},
    {"winhttp", winhttp_main, WINHTTP_ARGUMENTS,
     "take Windows' DefaultSecureProtocols apart, or put it together"},
    {"pac", pac_main, PAC_ARGUMENTS,
     "a script that tells browsers what goes through the gateway, and what direct"},
    {"healthcheck", healthcheck_main, HEALTHCHECK_ARGUMENTS,
     "for containers: exit code 0 when the running gateway is ready"},
    {"hash-password", hash_password_main, HASH_PASSWORD_ARGUMENTS,
     "a password, read from the terminal or standard input, for a file of users"},
    {"version", version_main, "(or --version)", "versions of this program and of its libraries"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void put_help(FILE *to)
{
    fprintf(to, "tlsfloor holds a TLS version floor on traffic that it does not decrypt.\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  tlsfloor %s %s\n      %s\n", commands[i].name, commands[i].arguments,
                commands[i].text);
    fprintf(to, "\nExit codes: 0 fine, 1 a finding, 2 wrong usage, 3 cannot start.\n");
}

/* Runs a command, named as getopt is to name it in its messages. */
static int run_command(const struct command *command, int argc, char **argv)
{
    char title[32];
    snprintf(title, sizeof title, "tlsfloor %s", command->name);
    argv[0] = title;
    return command->main(argc, argv);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        put_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    if (argc > 1)
        fprintf(stderr, "tlsfloor: there is no command '%s'; see tlsfloor --help\n", name);
    else
        put_help(stderr);
    return EXIT_USAGE;
}
