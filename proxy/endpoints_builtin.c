/* The files of conf/m365/, put into the program by the assembler: as they
 * are, in read-only memory, and without a generator at build time. Paths go
 * from the directory that the compiler runs in, the top of the repository. */
#include "endpoints_builtin.h"

/* Defines m365_NAME, the bytes of a file, and m365_NAME_size, their number. */
#define EMBED(name)                                                                                          \
    __asm__(".pushsection .rodata\n"                                                                         \
            "m365_" #name ":\n"                                                                              \
            ".incbin \"conf/m365/" #name ".json\"\n"                                                         \
            "m365_" #name "_end:\n"                                                                          \
            ".balign 4\n"                                                                                    \
            "m365_" #name "_size: .long m365_" #name "_end - m365_" #name "\n"                               \
            ".globl m365_" #name ", m365_" #name "_size\n"                                                   \
            ".hidden m365_" #name ", m365_" #name "_size\n"                                                  \
            ".popsection\n");                                                                                \
    extern const char m365_##name[] __attribute__((visibility("hidden")));                                   \
    extern const uint32_t m365_##name##_size __attribute__((visibility("hidden")))

EMBED(Worldwide);
EMBED(USGovGCCHigh);
EMBED(USGovDoD);
EMBED(China);

static const struct {
    const char *instance, *json;
    const uint32_t *size;
} snapshots[] = {
    [TF_WORLDWIDE] = {"Worldwide", m365_Worldwide, &m365_Worldwide_size},
    [TF_GCC] = {"Worldwide", m365_Worldwide, &m365_Worldwide_size},
    [TF_GCC_HIGH] = {"USGovGCCHigh", m365_USGovGCCHigh, &m365_USGovGCCHigh_size},
    [TF_DOD] = {"USGovDoD", m365_USGovDoD, &m365_USGovDoD_size},
    [TF_CHINA] = {"China", m365_China, &m365_China_size},
};

const char *endpoints_instance(enum tf_instance instance)
{
    return snapshots[instance].instance;
}

struct tf_text endpoints_builtin(enum tf_instance instance)
{
    return (struct tf_text){snapshots[instance].json, *snapshots[instance].size};
}
