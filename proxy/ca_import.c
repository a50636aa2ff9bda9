/* How clients of each kind come to trust the gateway's CA: `tlsfloor ca
 * export --for`. In the texts, @ stands for the certificate's file. */
#include "ca_command.h"

#include "../lib/suggest.h"
#include <stdio.h>
#include <string.h>

static const struct ca_import imports[] = {
    {"windows", "tlsfloor-ca.cer", CA_DER,
     "# One machine, in a command prompt that runs as administrator (Windows Vista, Server 2008 and later):\n"
     "certutil -addstore -f Root \"@\"\n"
     "\n"
     "# The same in PowerShell (Windows 8, Server 2012 and later):\n"
     "Import-Certificate -FilePath \"@\" -CertStoreLocation Cert:\\LocalMachine\\Root\n"
     "\n"
     "# Older than that: open the file, Install Certificate, place it in Trusted Root Certification "
     "Authorities\n"
     "# (show physical stores: Local Computer).\n"
     "\n"
     "# All machines of a domain: in the Group Policy Management Editor, import the file at\n"
     "#   Computer Configuration > Policies > Windows Settings > Security Settings >\n"
     "#   Public Key Policies > Trusted Root Certification Authorities\n"
     "# and on a machine that is not to wait for it:\n"
     "gpupdate /target:computer /force\n"
     "\n"
     "# .NET, Office, Internet Explorer, Edge and Chrome use this store. Firefox and Java have their own.\n"},
    {"java", "tlsfloor-ca.pem", CA_PEM,
     "# Java 6, 7, 8, a JDK (in a JRE of its own, leave out /jre):\n"
     "keytool -importcert -noprompt -alias tlsfloor -file \"@\" -keystore "
     "\"$JAVA_HOME/jre/lib/security/cacerts\" "
     "-storepass changeit\n"
     "\n"
     "# The same on Windows:\n"
     "\"%JAVA_HOME%\\bin\\keytool\" -importcert -noprompt -alias tlsfloor -file \"@\" -keystore "
     "\"%JAVA_HOME%\\jre\\lib\\security\\cacerts\" -storepass changeit\n"
     "\n"
     "# Java 9 and later:\n"
     "keytool -importcert -noprompt -alias tlsfloor -file \"@\" -cacerts -storepass changeit\n"
     "\n"
     "# A program started with -Djavax.net.ssl.trustStore=FILE: import into that FILE, with its own "
     "password.\n"
     "# Start the program anew. An update of Java may bring a fresh cacerts; then import again.\n"},
    {"debian", "tlsfloor-ca.crt", CA_PEM,
     "# Debian, Ubuntu and their kin; the name must end in .crt:\n"
     "sudo install -m 644 \"@\" /usr/local/share/ca-certificates/tlsfloor-ca.crt\n"
     "sudo update-ca-certificates\n"},
    {"redhat", "tlsfloor-ca.pem", CA_PEM,
     "# Red Hat Enterprise Linux 7 and later, CentOS, Fedora, Oracle, Amazon:\n"
     "sudo install -m 644 \"@\" /etc/pki/ca-trust/source/anchors/tlsfloor-ca.pem\n"
     "sudo update-ca-trust extract\n"
     "\n"
     "# Version 6: once before that\n"
     "sudo update-ca-trust force-enable\n"
     "\n"
     "# Version 5:\n"
     "sudo sh -c 'cat \"@\" >> /etc/pki/tls/certs/ca-bundle.crt'\n"},
    {"suse", "tlsfloor-ca.pem", CA_PEM,
     "# SUSE Linux Enterprise 12 and later, openSUSE:\n"
     "sudo install -m 644 \"@\" /etc/pki/trust/anchors/tlsfloor-ca.pem\n"
     "sudo update-ca-certificates\n"},
    {"alpine", "tlsfloor-ca.crt", CA_PEM,
     "# As root; the package ca-certificates must be there:\n"
     "install -m 644 \"@\" /usr/local/share/ca-certificates/tlsfloor-ca.crt\n"
     "update-ca-certificates\n"},
    {"macos", "tlsfloor-ca.pem", CA_PEM,
     "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain \"@\"\n"
     "\n"
     "# A system that is too old to know name constraints refuses the CA; then set\n"
     "#   [ca] name_constraints = not-critical\n"
     "# and make it anew: tlsfloor ca init --renew\n"},
    {"firefox", "tlsfloor-ca.pem", CA_PEM,
     "# Firefox has a store of its own. By hand:\n"
     "#   Settings > Privacy & Security > View Certificates > Authorities > Import,\n"
     "#   \"Trust this CA to identify websites\"\n"
     "\n"
     "# A profile, with NSS's own certutil (package libnss3-tools or nss-tools; up to Firefox 57, PROFILE "
     "without "
     "sql:):\n"
     "certutil -A -d \"sql:$PROFILE\" -n tlsfloor -t C,, -i \"@\"\n"
     "\n"
     "# All users of a Windows or macOS machine, from Firefox 64 on, in policies.json: use the system's "
     "store, so\n"
     "# that what --for windows or --for macos says is enough.\n"
     "#   {\"policies\": {\"Certificates\": {\"ImportEnterpriseRoots\": true}}}\n"},
    {"android", "tlsfloor-ca.crt", CA_DER,
     "adb push \"@\" /sdcard/Download/\n"
     "\n"
     "# or send it to the device in any other way. Then, on the device:\n"
     "#   Android 11 and later: Settings > Security > Encryption & credentials > Install a certificate > CA "
     "certificate\n"
     "#   Android 4 to 10: Settings > Security > Install from storage\n"
     "# From Android 7 on, programs trust it only if they say so (networkSecurityConfig); browsers do.\n"
     "# Older than 4.0: there is no way without root rights.\n"},
    {"ios", "tlsfloor-ca.cer", CA_DER,
     "# Send the file to the device by mail or a web page, open it there, and then:\n"
     "#   Settings > General > VPN & Device Management (Profile): install it\n"
     "#   Settings > General > About > Certificate Trust Settings: switch it on\n"},
    {"printer", "tlsfloor-ca.cer", CA_DER,
     "# On the printer's web page (its address in a browser), as administrator. Makers differ in the words:\n"
     "#   Security > Certificates > CA Certificates (Trusted Root) > Import, and choose the file\n"
     "#   HP: Networking > Authorization > Certificates > CA Certificate > Install\n"
     "# Set its clock and its time zone; a certificate is not valid for a printer that lives in 1970.\n"
     "# Then switch on SSL/TLS, and the verifying of certificates if it has a setting for that, for SMTP or "
     "for\n"
     "# scan to mail.\n"
     "\n"
     "# Should the printer want PEM (.pem, .crt, \"Base-64\"): the same command with --format pem\n"},
    {"python", "tlsfloor-ca.pem", CA_PEM,
     "# requests and pip have a store of their own; a variable adds the CA to the system's roots (Debian's "
     "file):\n"
     "cat /etc/ssl/certs/ca-certificates.crt \"@\" > with-tlsfloor.pem\n"
     "export REQUESTS_CA_BUNDLE=\"$PWD/with-tlsfloor.pem\" PIP_CERT=\"$PWD/with-tlsfloor.pem\"\n"
     "\n"
     "# The ssl module uses the system's: --for debian, redhat, windows.\n"},
    {"node", "tlsfloor-ca.pem", CA_PEM,
     "# Node.js 7.3 and later, in the environment of the program:\n"
     "export NODE_EXTRA_CA_CERTS=\"$(realpath \"@\")\"\n"
     "\n"
     "# Older: in the program, the option ca of https and tls.\n"},
};

enum { IMPORTS = sizeof imports / sizeof *imports };

/* Other words for the same. */
static const struct {
    const char *name, *import;
} synonyms[] = {
    {"gpo", "windows"},     {"dotnet", "windows"}, {"office", "windows"}, {"chrome", "windows"},
    {"edge", "windows"},    {"ubuntu", "debian"},  {"rhel", "redhat"},    {"centos", "redhat"},
    {"fedora", "redhat"},   {"opensuse", "suse"},  {"mac", "macos"},      {"iphone", "ios"},
    {"scanner", "printer"}, {"nodejs", "node"},
};

enum { SYNONYMS = sizeof synonyms / sizeof *synonyms };

static const struct ca_import *find(const char *name)
{
    for (size_t i = 0; i < IMPORTS; i++)
        if (strcmp(imports[i].name, name) == 0)
            return &imports[i];
    return NULL;
}

const struct ca_import *ca_find_import(const char *name, char *error, size_t size)
{
    struct tf_suggestion near = {.unknown = tf_text_of(name)};
    const struct ca_import *found = find(name);
    for (size_t i = 0; !found && i < SYNONYMS; i++)
        if (strcmp(synonyms[i].name, name) == 0)
            found = find(synonyms[i].import);
    if (found)
        return found;

    for (size_t i = 0; i < IMPORTS; i++)
        tf_suggest(&near, imports[i].name);
    for (size_t i = 0; i < SYNONYMS; i++)
        tf_suggest(&near, synonyms[i].name);
    int n = snprintf(error, size, "nothing is known about importing into '%.64s'%s%s%s; there are", name,
                     TF_DID_YOU_MEAN(near));
    for (size_t i = 0; i < IMPORTS && n > 0 && (size_t)n < size; i++)
        n += snprintf(error + n, size - (size_t)n, "%s %s", i > 0 ? "," : "", imports[i].name);
    return NULL;
}

void ca_list_imports(FILE *to)
{
    for (size_t i = 0; i < IMPORTS; i++)
        fprintf(to, "%s%s", i > 0 ? ", " : "", imports[i].name);
}

void ca_print_import(const struct ca_import *import, const char *file)
{
    for (const char *c = import->text; *c != '\0'; c++) {
        if (*c == '@')
            fputs(file, stdout);
        else
            putchar(*c);
    }
}
