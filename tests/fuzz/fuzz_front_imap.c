/* The IMAP front: whatever both sides say, in whatever pieces. See fuzz_mail.h. */
#include "fuzz_mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_mail_front(&tf_front_imap, data, size);
}
