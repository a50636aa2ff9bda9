/* Runs a command's main in this process, on configuration files of its own, and keeps what it prints. */
#ifndef COMMAND_STAGE_H
#define COMMAND_STAGE_H

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct output {
    char out[1 << 16], err[1 << 16];
};

static inline char *stage_file(const void *bytes, size_t n)
{
    static char paths[8][32];
    static unsigned next;
    char *path = paths[next++ % 8];
    strcpy(path, "/tmp/tlsfloor-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
    return path;
}

static inline void stage_keep(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(fd);
}

/* The arguments end with a NULL; the first is the command. */
static inline int stage_run(int (*command)(int, char **), struct output *o, const char *const *arguments)
{
    char *argv[16] = {NULL}; /* getopt sorts them */
    int argc = 0, out = memfd_create("out", 0), err = memfd_create("err", 0);
    for (; arguments[argc] && argc < 15; argc++)
        argv[argc] = (char *)arguments[argc];
    fflush(stdout);
    fflush(stderr);
    int old_out = dup(1), old_err = dup(2);
    dup2(out, 1);
    dup2(err, 2);
    optind = 0; /* getopt begins anew */
    int code = command(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(old_out, 1);
    dup2(old_err, 2);
    close(old_out);
    close(old_err);
    stage_keep(out, o->out, sizeof o->out);
    stage_keep(err, o->err, sizeof o->err);
    return code;
}

static inline void assert_has(const char *text, const char *expected)
{
    if (!strstr(text, expected))
        fail_msg("%s\nis not in:\n%s", expected, text);
}

#endif
