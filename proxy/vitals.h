/* What the kernel knows of this process. */
#ifndef VITALS_H
#define VITALS_H

#include <stdint.h>

struct vitals {
    uint64_t open_files; /* 0: not known */
    uint64_t open_files_max;
    uint64_t resident_bytes; /* 0: not known */
    uint64_t cpu_ms;         /* user and system */
};

struct vitals vitals_now(void);

#endif
