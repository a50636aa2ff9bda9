/* `tlsfloor winhttp`: what a value of DefaultSecureProtocols means, or which value some protocols make. */
#include "winhttp_main.h"

#include "../lib/suggest.h"
#include "../lib/winhttp.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

enum { EXIT_USAGE = 2 };

static int usage(FILE *to, int code)
{
    fprintf(to, "usage: tlsfloor winhttp " WINHTTP_ARGUMENTS "\n"
                "    VALUE: as 0xA80, 2688 or dword:00000a80; PROTOCOL: as TLS1.2, TLSv1.2 or 1.2\n");
    return code;
}

static void print_protocols(uint32_t value)
{
    const struct tf_winhttp_protocol *p;
    const char *before = "";
    for (size_t i = 0; (p = tf_winhttp_protocol(i)); i++)
        if (value & p->bit) {
            printf("%s%s", before, p->name);
            before = ", ";
        }
    if (!*before)
        printf("no protocol");
}

static void print_note(uint32_t value)
{
    const struct tf_winhttp_value *v;
    for (size_t i = 0; (v = tf_winhttp_value(i)); i++)
        if (v->value == value)
            printf("note: %s\n", v->note);
}

static void print_unknown(uint32_t unknown)
{
    printf("unknown: 0x%03" PRIX32 " is nothing that WinHTTP is known to read\n", unknown);
    if ((unknown & ~(uint32_t)(TF_WINHTTP_ALL >> 1)) == 0)
        printf("    It would fit a server, as IIS logs it (crypt-protocol); a client's bits are the double: "
               "0x%03" PRIX32 "\n",
               unknown << 1);
}

static void print_verdict(uint32_t value)
{
    uint32_t unknown = value & ~(uint32_t)TF_WINHTTP_ALL;
    printf("DefaultSecureProtocols 0x%03" PRIX32 " (%" PRIu32 "): ", value, value);
    print_protocols(value);
    printf("\n");
    print_note(value);
    if (unknown)
        print_unknown(unknown);
    if (value & TF_WINHTTP_BROKEN) {
        printf("warning: ");
        print_protocols(value & TF_WINHTTP_BROKEN);
        printf(" must not be on, though the mask can say so (KB3009008)\n");
    }
    if (!(value & TF_WINHTTP_GOOD))
        printf("warning: without TLS 1.2, WinHTTP does not reach Microsoft 365\n");
    if (value & TF_WINHTTP_TLS13)
        printf(
            "note: 0x2000 is a later bit; Windows 7, Server 2008 R2 and Server 2012 do not know TLS 1.3\n");
}

static void print_scope(void)
{
    printf(
        "\nWho reads it: WinHTTP of Windows 7 SP1, Server 2008 R2 SP1 and Server 2012, once KB3140245 is\n"
        "installed, after a restart; from Windows 8.1 and Server 2012 R2 on, TLS 1.2 is on without it. It\n"
        "acts for programs that leave the choice to WinHTTP, and what Schannel has switched off stays off.\n"
        "32-bit programs on a 64-bit Windows read the same value below Wow6432Node. Both keys, and\n"
        "Schannel's: tlsfloor remediate --client schannel-win7 --reg FILE\n");
}

static int decode(const char *text, uint32_t value)
{
    uint32_t meant;
    print_verdict(value);
    if (value & ~(uint32_t)TF_WINHTTP_ALL && tf_winhttp_is_bare_hex(tf_text_of(text), &meant))
        printf("note: %s is read as decimal; for the hexadecimal number, write 0x%s\n", text, text);
    print_scope();
    return 0;
}

static int refuse(const char *text)
{
    struct tf_suggestion nearest = {.unknown = tf_text_of(text)};
    uint32_t meant;
    size_t i = 0;
    while (tf_winhttp_protocol(i))
        i++;
    while (i-- > 0) /* of those equally near, the newest */
        tf_suggest(&nearest, tf_winhttp_protocol(i)->name);
    fprintf(stderr, "tlsfloor winhttp: '%s' is neither a value of 32 bits nor a protocol", text);
    if (tf_winhttp_is_bare_hex(nearest.unknown, &meant))
        fprintf(stderr, "; did you mean 0x%s?\n", text);
    else
        fprintf(stderr, "%s%s%s\n", TF_DID_YOU_MEAN(nearest));
    return usage(stderr, EXIT_USAGE);
}

static int encode(int n, char **names)
{
    uint32_t value = 0;
    for (int i = 0; i < n; i++) {
        const struct tf_winhttp_protocol *p = tf_winhttp_protocol_parse(tf_text_of(names[i]));
        if (!p)
            return refuse(names[i]);
        if (p->bit & TF_WINHTTP_BROKEN) {
            fprintf(stderr,
                    "tlsfloor winhttp: %s is broken and must not be turned on, though the mask can say so "
                    "(KB3009008)\n",
                    p->name);
            return EXIT_USAGE;
        }
        value |= p->bit;
    }
    print_verdict(value);
    print_scope();
    return 0;
}

static void print_table(void)
{
    const struct tf_winhttp_protocol *p;
    const struct tf_winhttp_value *v;
    printf("DefaultSecureProtocols is the sum of\n\n");
    for (size_t i = 0; (p = tf_winhttp_protocol(i)); i++)
        printf("  0x%03" PRIX32 "%s %5" PRIu32 "  %s  %s\n", p->bit, p->bit > 0xFFF ? "" : " ", p->bit,
               p->name, p->note);
    printf("\nValues often met\n\n");
    for (size_t i = 0; (v = tf_winhttp_value(i)); i++)
        printf("  0x%03" PRIX32 "  %5" PRIu32 "  %s\n", v->value, v->value, v->note);
    print_scope();
    printf("\n");
}

int winhttp_main(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    uint32_t value;
    int option = getopt_long(argc, argv, "h", options, NULL);
    if (option != -1)
        return option == 'h' ? usage(stdout, 0) : usage(stderr, EXIT_USAGE);
    if (optind == argc) {
        print_table();
        return usage(stdout, 0);
    }
    if (tf_winhttp_value_parse(tf_text_of(argv[optind]), &value)) {
        if (argc == optind + 1)
            return decode(argv[optind], value);
        fprintf(stderr, "tlsfloor winhttp: one value at a time\n");
        return usage(stderr, EXIT_USAGE);
    }
    return encode(argc - optind, argv + optind);
}
