/* `tlsfloor check`: whether the inventory's file can be used. */
#include "check.h"

#include "conf_file.h"
#include "inventory_store.h"
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot_use(const struct tf_conf *conf, int why, const char *what_to_do)
{
    return check_cannot_use(conf, "inventory", "file", conf->inventory.file, why, what_to_do);
}

static bool check_what_is_there(const struct tf_conf *conf)
{
    char error[512], sentence[600];
    int why = check_access(conf->inventory.file, R_OK | W_OK);
    if (why != 0)
        return cannot_use(conf, why, "");
    struct roster *roster = inventory_read(conf->inventory.file, error, sizeof error);
    if (roster == NULL) {
        snprintf(sentence, sizeof sentence, "[inventory] file: %s", error);
        conf_report(stderr, TF_ERROR, tf_conf_origin(conf, "inventory", "file"), sentence);
    }
    roster_free(roster);
    return roster != NULL;
}

/* The gateway makes the directory too, but none above it. */
static bool check_room(const struct tf_conf *conf)
{
    struct stat st;
    char what_to_do[400], *copy = strdup(conf->inventory.file);
    const char *directory = copy != NULL ? dirname(copy) : "";
    if (stat(directory, &st) != 0)
        directory = dirname(copy);
    int why = check_access(directory, W_OK | X_OK);
    snprintf(what_to_do, sizeof what_to_do,
             "; make the directory %.300s, writable for the user of the gateway", directory);
    bool ok = why == 0 || cannot_use(conf, why, what_to_do);
    free(copy);
    return ok;
}

bool check_inventory(const struct tf_conf *conf)
{
    const char *file = conf->inventory.file;
    struct stat st;
    if (strcmp(file, "memory") == 0 || strcmp(file, "off") == 0)
        return true;
    if (stat(file, &st) != 0)
        return check_room(conf);
    return S_ISDIR(st.st_mode) ? cannot_use(conf, EISDIR, "") : check_what_is_there(conf);
}
