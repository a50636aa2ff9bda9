/* Version numbers: GREASE, order, names. What a hello offers is hello.c's business. */
#include "hello.h"

/* Blocks of the number space that pre-standard TLS 1.3 used, by their high byte. */
enum {
    GOOGLE_EXPERIMENTS = 0x7e,
    DRAFTS = 0x7f, /* 0x7f00 | number of the draft */
    FACEBOOK_EXPERIMENTS = 0xfb
};

bool tf_is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static bool is_experiment(uint16_t version)
{
    return version >> 8 == GOOGLE_EXPERIMENTS || version >> 8 == FACEBOOK_EXPERIMENTS;
}

static bool is_draft(uint16_t version)
{
    return version >> 8 == DRAFTS;
}

uint16_t tf_version_rank(uint16_t version)
{
    if (is_draft(version) || is_experiment(version))
        return TF_TLS13;
    if (version == TF_SSL2 || (version >= TF_SSL3 && version <= TF_TLS13))
        return version;
    return 0;
}

/* The number of the release within its name: 3.1 on the wire is TLS 1.0. */
static char minor_digit(uint16_t version)
{
    return (char)('0' + version - TF_TLS10);
}

void tf_put_version(struct tf_writer *w, uint16_t version)
{
    if (is_draft(version)) {
        tf_put_text(w, "TLS1.3-draft");
        tf_put_u64(w, version & 0xff);
    } else if (is_experiment(version)) {
        tf_put_text(w, "TLS1.3-experiment-");
        tf_put_hex16(w, version);
    } else if (version >= TF_TLS10 && version <= TF_TLS13) {
        tf_put_text(w, "TLS1.");
        tf_put_char(w, minor_digit(version));
    } else if (version == TF_SSL3) {
        tf_put_text(w, "SSLv3");
    } else if (version == TF_SSL2) {
        tf_put_text(w, "SSLv2");
    } else {
        tf_put_text(w, "0x");
        tf_put_hex16(w, version);
    }
}

void tf_put_short_version(struct tf_writer *w, uint16_t version)
{
    uint16_t rank = tf_version_rank(version);
    if (rank >= TF_TLS10) {
        tf_put_text(w, "1.");
        tf_put_char(w, minor_digit(rank));
    } else if (rank == TF_SSL3) {
        tf_put_text(w, "ssl3");
    } else if (rank == TF_SSL2) {
        tf_put_text(w, "ssl2");
    } else {
        tf_put_hex16(w, version);
    }
}
