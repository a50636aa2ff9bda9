/* Files of the repository, put into the program by the assembler: as they
 * are, in read-only memory, and without a generator at build time. */
#ifndef EMBED_H
#define EMBED_H

#include <stdint.h>

/* Defines NAME, the bytes of a file, and NAME_size, their number. The path goes from the directory that the
 * compiler runs in, the top of the repository; the Makefile must say that the object depends on the file. */
#define EMBED(name, file)                                                                                    \
    __asm__(".pushsection .rodata\n" #name ":\n"                                                             \
            ".incbin \"" file "\"\n" #name "_end:\n"                                                         \
            ".balign 4\n" #name "_size: .long " #name "_end - " #name "\n"                                   \
            ".globl " #name ", " #name "_size\n"                                                             \
            ".hidden " #name ", " #name "_size\n"                                                            \
            ".popsection\n");                                                                                \
    extern const char name[] __attribute__((visibility("hidden")));                                          \
    extern const uint32_t name##_size __attribute__((visibility("hidden")))

#endif
