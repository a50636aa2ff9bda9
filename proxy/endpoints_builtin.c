/* The files of conf/m365/. */
#include "endpoints_builtin.h"

#include "embed.h"

EMBED(m365_Worldwide, "conf/m365/Worldwide.json");
EMBED(m365_USGovGCCHigh, "conf/m365/USGovGCCHigh.json");
EMBED(m365_USGovDoD, "conf/m365/USGovDoD.json");
EMBED(m365_China, "conf/m365/China.json");

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
