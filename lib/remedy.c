/* The table of remedies; see remedy.h and remedies.def. */
#include "remedy.h"
#include "registry.h"

static const struct tf_remedy remedies[TF_CLIENT_FAMILY_COUNT] = {
#define REMEDY(id, registry, trust, articles, steps)                                                         \
    [TF_CLIENT_FAMILY_##id] = {steps, articles, registry, trust},
#include "remedies.def"
#undef REMEDY
};

static const struct tf_retirement retirements[] = {
    {"2018-10-31", "TLS 1.0 and 1.1 deprecated: no fixes for new problems"},
    {"2020-01-15", "off in GCC High and DoD"},
    {"2020-10-15", "off in Microsoft 365 and GCC, service by service over the months that followed"},
    {"2021-01-11", "Exchange Online takes no mail with them from other servers (port 25)"},
    {"2021-03-31", "off for signing in with Entra, US government"},
    {"2022-01-31", "off for signing in with Entra, everywhere else but China (2025)"},
    {"2022-02", "off for SMTP AUTH (smtp.office365.com); China 2023-06-30"},
    {"2026-07-01", "until 2026-12-31: the last opt-in for POP and IMAP is taken away"},
};

enum { RETIREMENTS = sizeof retirements / sizeof *retirements };

const struct tf_remedy *tf_remedy_of(enum tf_client_family family)
{
    return &remedies[family];
}

const struct tf_retirement *tf_retirement(size_t i)
{
    return i < RETIREMENTS ? &retirements[i] : NULL;
}
