/* Command line and path of this process; see program.h. */
#include "program.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The words of the command line as the kernel keeps them: getopt and others have moved argv about. */
static bool read_words(struct program *p)
{
    FILE *f = fopen("/proc/self/cmdline", "re");
    size_t room = 0, count = 0, size;
    char *word = NULL;
    bool ok = f != NULL;
    while (ok && getdelim(&word, &size, '\0', f) > 0) {
        if (count + 2 > room) {
            room = 2 * room + 8;
            char **larger = realloc(p->argv, room * sizeof *larger);
            if (larger == NULL)
                break;
            p->argv = larger;
        }
        p->argv[count++] = word;
        p->argv[count] = NULL;
        word = NULL;
        size = 0;
    }
    ok = ok && count > 0 && feof(f) && !ferror(f);
    free(word);
    if (f != NULL)
        fclose(f);
    return ok;
}

static bool is_this_program(const char *path)
{
    struct stat there, self;
    return stat(path, &there) == 0 && stat("/proc/self/exe", &self) == 0 && there.st_dev == self.st_dev &&
           there.st_ino == self.st_ino;
}

/* directory/name, if that is this program. */
static char *try_directory(const char *directory, size_t n, const char *name)
{
    char *path;
    if (asprintf(&path, "%.*s/%s", (int)n, directory, name) < 0)
        return NULL;
    if (is_this_program(path))
        return path;
    free(path);
    return NULL;
}

/* As a shell would have found it. */
static char *find_in_path(const char *name)
{
    const char *directory = getenv("PATH");
    char *found = NULL;
    while (directory != NULL && found == NULL) {
        size_t n = strcspn(directory, ":");
        if (directory[0] == '/')
            found = try_directory(directory, n, name);
        directory = directory[n] == ':' ? directory + n + 1 : NULL;
    }
    return found;
}

static char *find_path(const char *name)
{
    char here[PATH_MAX];
    char *found = NULL;
    if (name[0] == '/')
        found = is_this_program(name) ? strdup(name) : NULL;
    else if (strchr(name, '/') == NULL)
        found = find_in_path(name);
    else if (getcwd(here, sizeof here) != NULL)
        found = try_directory(here, strlen(here), name);
    if (found != NULL)
        return found;
    ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);
    return n > 0 ? strndup(here, (size_t)n) : NULL;
}

bool program_find(struct program *p)
{
    *p = (struct program){.path = NULL};
    if (read_words(p) && (p->path = find_path(p->argv[0])) != NULL)
        return true;
    program_free(p);
    return false;
}

void program_free(struct program *p)
{
    for (size_t i = 0; p->argv != NULL && p->argv[i] != NULL; i++)
        free(p->argv[i]);
    free(p->argv);
    free(p->path);
    *p = (struct program){.path = NULL};
}
