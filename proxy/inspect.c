/* `tlsfloor inspect`: reads flights, raw or as lines of JSON with the bytes
 * in hexadecimal, and prints what inspect_flight.c makes of them. A line that
 * is wrong is answered with a line that says so, and the next one is read. */
#include "inspect.h"

#include "inspect_flight.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a line, or of a raw flight: what is behind them in a longer flight is no part of a hello. */
enum { INPUT_MAX = 4 << 20 };

struct input {
    struct inspector inspector;
    char *text;      /* INPUT_MAX */
    uint8_t *flight; /* INPUT_MAX / 2 */
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Bytes from hexadecimal, into `out`; false if it is not. */
static bool parse_hex(const char *text, size_t n, uint8_t *out)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(text[i]);
        int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return n % 2 == 0;
}

/* The side that a line names, or else `side`. False: no such side. */
static bool parse_side(const json_t *line, enum inspect_side *side)
{
    const json_t *value = json_object_get(line, "side");
    const char *name = json_string_value(value);
    if (name && strcmp(name, "server") == 0)
        *side = INSPECT_SERVER;
    else if (name && strcmp(name, "client") == 0)
        *side = INSPECT_CLIENT;
    else
        return value == NULL;
    return true;
}

/* Fills `out` from the object of a line. NULL, or what is wrong with the line. */
static const char *inspect_object(struct input *in, enum inspect_side side, const json_t *line, json_t *out)
{
    if (!json_is_object(line))
        return "the line is not a JSON object";
    json_t *id = json_object_get(line, "id");
    if (id)
        inspect_put(out, "id", json_incref(id));
    const json_t *hex = json_object_get(line, "record_hex");
    if (!hex)
        hex = json_object_get(line, "bytes_hex");
    if (!json_is_string(hex))
        return "the line has no text record_hex or bytes_hex";
    size_t n = json_string_length(hex);
    if (!parse_hex(json_string_value(hex), n, in->flight))
        return "the bytes are not hexadecimal, two digits each";
    if (!parse_side(line, &side))
        return "the side is neither client nor server";
    inspect_flight(&in->inspector, side, (struct tf_span){in->flight, n / 2}, out);
    return NULL;
}

static void print(json_t *out, size_t flags)
{
    json_dumpf(out, stdout, flags | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(out);
}

/* One line without its newline to one line; false if it could not be read. */
static bool inspect_line(struct input *in, enum inspect_side side, size_t n)
{
    json_error_t ignored;
    json_t *line = n < INPUT_MAX ? json_loadb(in->text, n, JSON_ALLOW_NUL, &ignored) : NULL;
    json_t *out = inspect_need(json_object());
    const char *error = n < INPUT_MAX ? "the line is not JSON" : "the line is longer than 4 MiB";
    if (line)
        error = inspect_object(in, side, line, out);
    if (error)
        inspect_put(out, "error", json_string(error));
    print(out, JSON_COMPACT);
    json_decref(line);
    return error == NULL;
}

/* Reads a line into in->text. False at the end of the file. *n is its length, where INPUT_MAX means too long.
 */
static bool read_line(struct input *in, FILE *file, size_t *n)
{
    int c = getc_unlocked(file);
    if (c == EOF)
        return false;
    for (*n = 0; c != EOF && c != '\n'; c = getc_unlocked(file))
        if (*n < INPUT_MAX)
            in->text[(*n)++] = (char)c;
    return true;
}

static bool is_blank(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r')
            return false;
    return true;
}

static int inspect_lines(struct input *in, enum inspect_side side, FILE *file)
{
    int status = 0;
    for (size_t n; read_line(in, file, &n);)
        if (!is_blank(in->text, n) && !inspect_line(in, side, n))
            status = 1;
    return status;
}

static int inspect_raw(struct input *in, enum inspect_side side, FILE *file)
{
    size_t n = fread(in->text, 1, INPUT_MAX, file);
    if (ferror(file))
        return 2;
    json_t *out = inspect_need(json_object());
    inspect_flight(&in->inspector, side, (struct tf_span){(const uint8_t *)in->text, n}, out);
    print(out, JSON_INDENT(2));
    return 0;
}

static int inspect_file(FILE *file, bool jsonl, enum inspect_side side)
{
    struct input in = {.text = inspect_need(malloc(INPUT_MAX)),
                       .flight = inspect_need(malloc(INPUT_MAX / 2))};
    inspector_init(&in.inspector);
    int status = jsonl ? inspect_lines(&in, side, file) : inspect_raw(&in, side, file);
    inspector_fini(&in.inspector);
    free(in.text);
    free(in.flight);
    return status;
}

static int usage(FILE *to, int code)
{
    fputs("usage: tlsfloor inspect " INSPECT_ARGUMENTS "\n", to);
    return code;
}

int inspect_main(int argc, char **argv)
{
    bool jsonl = false;
    enum inspect_side side = INSPECT_GUESS;
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--jsonl") == 0)
            jsonl = true;
        else if (strcmp(argv[i], "--client") == 0)
            side = INSPECT_CLIENT;
        else if (strcmp(argv[i], "--server") == 0)
            side = INSPECT_SERVER;
        else if (!path && (argv[i][0] != '-' || strcmp(argv[i], "-") == 0))
            path = argv[i];
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return usage(stdout, 0);
        else {
            fprintf(stderr, "tlsfloor inspect: '%s' is not expected\n", argv[i]);
            return usage(stderr, 2);
        }
    }
    /* A row of a corpus says which side it is; guessing would hide a client that sends a ServerHello. */
    if (jsonl && side == INSPECT_GUESS)
        side = INSPECT_CLIENT;

    FILE *file = path && strcmp(path, "-") != 0 ? fopen(path, "rb") : stdin;
    if (!file) {
        fprintf(stderr, "tlsfloor inspect: %s: %s\n", path, strerror(errno));
        return 2;
    }
    if (file == stdin && isatty(STDIN_FILENO))
        fprintf(stderr, "tlsfloor inspect: waiting for %s on the terminal; Ctrl-D ends it\n",
                jsonl ? "lines of JSON" : "the bytes of a hello");
    int status = inspect_file(file, jsonl, side);
    if (ferror(file)) {
        fputs("tlsfloor inspect: the input cannot be read\n", stderr);
        status = 2;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("tlsfloor inspect: the answer cannot be written\n", stderr);
        status = 2;
    }
    if (file != stdin)
        fclose(file);
    return status;
}
