/* `tlsfloor check`: whether the logs can be opened. */
#include "check.h"

#include "../lib/syslog.h"
#include "conf_file.h"
#include <errno.h>
#include <libgen.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot_use(const struct tf_conf *conf, const char *key, int why, const char *what_to_do)
{
    const char *sink = strcmp(key, "block") == 0 ? conf->log.block : conf->log.access;
    return check_cannot_use(conf, "log", key, sink, why, what_to_do);
}

static bool check_path(const struct tf_conf *conf, const char *key, const char *file)
{
    struct stat st;
    bool exists = stat(file, &st) == 0;
    char *copy = strdup(file);
    const char *directory = copy ? dirname(copy) : "";
    char what_to_do[512] = "";

    int why = exists ? check_access(file, W_OK) : check_access(directory, W_OK | X_OK);
    if (exists && S_ISDIR(st.st_mode))
        why = EISDIR;
    if (!exists)
        snprintf(what_to_do, sizeof what_to_do,
                 "; make the directory %.300s, writable for the user of the gateway", directory);
    bool ok = why == 0 || cannot_use(conf, key, why, what_to_do);
    free(copy);
    return ok;
}

/* A name that does not resolve, `run` does not take. Whether somebody listens there is not known before there
 * is something to send. */
static bool check_host(const struct tf_conf *conf, const char *key, const char *host)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *addresses;
    char sentence[512];
    int rc = getaddrinfo(host, NULL, &hints, &addresses);
    if (rc == 0) {
        freeaddrinfo(addresses);
        return true;
    }
    snprintf(sentence, sizeof sentence, "[log] %s: %s: %s; write a name that resolves, or an address", key,
             host, gai_strerror(rc));
    conf_report(stderr, TF_ERROR, tf_conf_origin(conf, "log", key), sentence);
    return false;
}

static bool check_syslog(const struct tf_conf *conf, const char *key, const char *sink)
{
    struct tf_syslog_target target;
    struct stat st;
    const char *wrong = tf_syslog_parse(sink, strlen(sink), &target);
    if (wrong != NULL)
        return false;
    if (target.transport != TF_SYSLOG_UNIX)
        return check_host(conf, key, target.host.host);
    int why = check_access(target.path, W_OK);
    if (stat(target.path, &st) == 0 && !S_ISSOCK(st.st_mode))
        why = ENOTSOCK;
    return why == 0 || cannot_use(conf, key, why,
                                  "; start the syslog daemon, or write syslog:/PATH with its socket, "
                                  "syslog:HOST:PORT or syslog:tcp:HOST:PORT");
}

/* Words that somebody may take for a sink, and that are names of files. */
static void warn_of_word(const struct tf_conf *conf, const char *key, const char *sink)
{
    static const struct {
        const char *word, *meant;
    } words[] = {{"syslog", "syslog:"}, {"stdout", "-"}, {"stderr", "-"}, {"none", "off"}};
    char sentence[128];
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(sink, words[i].word) != 0)
            continue;
        snprintf(sentence, sizeof sentence, "[log] %s = %s is a file of that name; write %s, or ./%s", key,
                 sink, words[i].meant, sink);
        conf_report(stderr, TF_WARNING, tf_conf_origin(conf, "log", key), sentence);
    }
}

static bool check_log(const struct tf_conf *conf, const char *key, const char *sink)
{
    if (strcmp(sink, "-") == 0 || strcmp(sink, "off") == 0)
        return true;
    warn_of_word(conf, key, sink);
    return tf_syslog_is(sink, strlen(sink)) ? check_syslog(conf, key, sink) : check_path(conf, key, sink);
}

bool check_logs(const struct tf_conf *conf)
{
    bool block = check_log(conf, "block", conf->log.block);
    bool access = check_log(conf, "access", conf->log.access);
    return block && access;
}
