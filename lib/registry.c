/* Registry settings for TLS 1.2; see registry.h. Which client needs which is remedies.def's to say. */
#include "registry.h"
#include "winhttp.h"

#include <string.h>

#define SOFTWARE   "SOFTWARE\\"
#define WOW6432    SOFTWARE "Wow6432Node\\" /* where a 64-bit Windows keeps what its 32-bit programs read */
#define WINHTTP    "Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp"
#define DOTNET2    "Microsoft\\.NETFramework\\v2.0.50727" /* .NET 2.0 to 3.5 */
#define DOTNET4    "Microsoft\\.NETFramework\\v4.0.30319"
#define SCHANNEL   "SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols\\"
#define MASK       "DefaultSecureProtocols"
#define STRONG     "SchUseStrongCrypto"
#define SYSTEM_TLS "SystemDefaultTlsVersions"
#define NOT_ASKED  "DisabledByDefault"

/* Below HKEY_LOCAL_MACHINE; rows of one key stand together. */
static const struct setting {
    unsigned group;
    const char *key, *name;
    uint32_t value;
} settings[] = {
    {TF_REGISTRY_WINHTTP, SOFTWARE WINHTTP, MASK, TF_WINHTTP_TLS11 | TF_WINHTTP_TLS12},
    {TF_REGISTRY_WINHTTP, WOW6432 WINHTTP, MASK, TF_WINHTTP_TLS11 | TF_WINHTTP_TLS12},
    {TF_REGISTRY_WINHTTP_ONLY_12, SOFTWARE WINHTTP, MASK, TF_WINHTTP_TLS12},
    {TF_REGISTRY_WINHTTP_ONLY_12, WOW6432 WINHTTP, MASK, TF_WINHTTP_TLS12},
    {TF_REGISTRY_TLS11, SCHANNEL "TLS 1.1\\Client", NOT_ASKED, 0},
    {TF_REGISTRY_TLS11, SCHANNEL "TLS 1.1\\Client", "Enabled", 1},
    {TF_REGISTRY_TLS12, SCHANNEL "TLS 1.2\\Client", NOT_ASKED, 0},
    {TF_REGISTRY_TLS12, SCHANNEL "TLS 1.2\\Client", "Enabled", 1},
    {TF_REGISTRY_TLS12, SCHANNEL "TLS 1.2\\Server", NOT_ASKED, 0},
    {TF_REGISTRY_TLS12, SCHANNEL "TLS 1.2\\Server", "Enabled", 1},
    {TF_REGISTRY_DOTNET, SOFTWARE DOTNET2, STRONG, 1},
    {TF_REGISTRY_DOTNET, SOFTWARE DOTNET2, SYSTEM_TLS, 1},
    {TF_REGISTRY_DOTNET, SOFTWARE DOTNET4, STRONG, 1},
    {TF_REGISTRY_DOTNET, SOFTWARE DOTNET4, SYSTEM_TLS, 1},
    {TF_REGISTRY_DOTNET, WOW6432 DOTNET2, STRONG, 1},
    {TF_REGISTRY_DOTNET, WOW6432 DOTNET2, SYSTEM_TLS, 1},
    {TF_REGISTRY_DOTNET, WOW6432 DOTNET4, STRONG, 1},
    {TF_REGISTRY_DOTNET, WOW6432 DOTNET4, SYSTEM_TLS, 1},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

/* How one of the two forms is written: what stands around a key, and around a value's name and its eight
 * hexadecimal digits. */
struct form {
    void (*put)(struct tf_writer *w, const char *text);
    const char *head;
    const char *key, *key_end;
    const char *name, *digits, *digits_end;
};

unsigned tf_registry_only_12(unsigned groups)
{
    if (groups & TF_REGISTRY_WINHTTP)
        groups |= TF_REGISTRY_WINHTTP_ONLY_12;
    return groups & ~(unsigned)(TF_REGISTRY_WINHTTP | TF_REGISTRY_TLS11);
}

static void put_wide(struct tf_writer *w, const char *ascii)
{
    for (; *ascii; ascii++) {
        tf_put_char(w, *ascii);
        tf_put_char(w, '\0');
    }
}

static void put_number(struct tf_writer *w, const struct form *form, uint32_t value)
{
    const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                             (uint8_t)value};
    char digits[2 * sizeof bytes + 1] = "";
    struct tf_writer hex = tf_writer_of(digits, sizeof digits - 1);
    tf_put_hex(&hex, bytes, sizeof bytes);
    form->put(w, digits);
}

static void put(struct tf_writer *w, const struct form *form, unsigned groups)
{
    const char *key = "";
    form->put(w, form->head);
    for (const struct setting *s = settings; s < settings + SETTINGS; s++) {
        if (!(s->group & groups))
            continue;
        if (strcmp(s->key, key) != 0) {
            form->put(w, form->key);
            form->put(w, s->key);
            form->put(w, form->key_end);
        }
        key = s->key;
        form->put(w, form->name);
        form->put(w, s->name);
        form->put(w, form->digits);
        put_number(w, form, s->value);
        form->put(w, form->digits_end);
    }
}

void tf_registry_put_reg(struct tf_writer *w, unsigned groups)
{
    static const struct form reg = {
        .put = put_wide,
        .head = "Windows Registry Editor Version 5.00\r\n",
        .key = "\r\n[HKEY_LOCAL_MACHINE\\",
        .key_end = "]\r\n",
        .name = "\"",
        .digits = "\"=dword:",
        .digits_end = "\r\n",
    };
    tf_put(w, "\xff\xfe", 2);
    put(w, &reg, groups);
}

/* New-Item -Force makes the keys above as well, but empties a key that is there: so it must not be. */
void tf_registry_put_powershell(struct tf_writer *w, unsigned groups)
{
    static const struct form powershell = {
        .put = tf_put_text,
        .head =
            "# Turns TLS 1.2 on. Run it as administrator, then restart the computer. It may be run again.\r\n"
            "$ErrorActionPreference = 'Stop'\r\n"
            "if ($env:PROCESSOR_ARCHITEW6432) {\r\n"
            "    throw 'This is the 32-bit PowerShell of a 64-bit Windows: run it in the 64-bit one.'\r\n"
            "}\r\n",
        .key = "\r\n$key = 'HKLM:\\",
        .key_end = "'\r\n"
                   "if (-not (Test-Path -Path $key)) { New-Item -Path $key -Force | Out-Null }\r\n",
        .name = "New-ItemProperty -Path $key -Name '",
        .digits = "' -PropertyType DWord -Value 0x",
        .digits_end = " -Force | Out-Null\r\n",
    };
    put(w, &powershell, groups);
}
