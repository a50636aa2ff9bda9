/* What Windows has to have in its registry to speak TLS 1.2, as a .reg file
 * or as PowerShell; both are made from one table. Nothing in it turns SSL 2.0
 * or 3.0 on, and nothing turns a protocol off. */
#ifndef TF_REGISTRY_H
#define TF_REGISTRY_H

#include "bytes.h"

/* Groups of values; bits. */
enum {
    TF_REGISTRY_WINHTTP = 1, /* DefaultSecureProtocols of TLS 1.1 and 1.2, for programs of both widths */
    TF_REGISTRY_WINHTTP_ONLY_12 = 2, /* the same of TLS 1.2 */
    TF_REGISTRY_TLS11 = 4,           /* Schannel's client speaks TLS 1.1: Windows 7, for the first group */
    TF_REGISTRY_TLS12 = 8,           /* Schannel speaks TLS 1.2, as client and as server */
    TF_REGISTRY_DOTNET = 16, /* .NET 2.0 to 4.x use what the system can, for programs of both widths */
    TF_REGISTRY_WINDOWS_7 = TF_REGISTRY_WINHTTP | TF_REGISTRY_TLS11 | TF_REGISTRY_TLS12 | TF_REGISTRY_DOTNET,
    TF_REGISTRY_WINDOWS_8 = TF_REGISTRY_WINHTTP | TF_REGISTRY_TLS12 | TF_REGISTRY_DOTNET,
    TF_REGISTRY_NEWER = TF_REGISTRY_TLS12 | TF_REGISTRY_DOTNET
};

/* Enough for all groups in either form. */
#define TF_REGISTRY_MAX 8192

/* The groups without TLS 1.1. */
unsigned tf_registry_only_12(unsigned groups);

/* A .reg file as regedit exports one: UTF-16LE with a byte order mark, CRLF. */
void tf_registry_put_reg(struct tf_writer *w, unsigned groups);
/* A script that can be run again, for Windows PowerShell 2.0 (Windows 7) and later; ASCII, CRLF. */
void tf_registry_put_powershell(struct tf_writer *w, unsigned groups);

#endif
