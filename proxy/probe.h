/* `tlsfloor probe`: which versions and suites a server takes, and whether
 * its certificate verifies. */
#ifndef PROBE_H
#define PROBE_H

/* argv[0] is the command. Returns the exit code: 1 if there is something that the server's owner, or ours,
 * must see to. */
#define PROBE_ARGUMENTS "HOST[:PORT] [--starttls smtp|imap|pop3] [-c FILE] [--json] [--timeout SECONDS]"
int probe_main(int argc, char **argv);

#endif
