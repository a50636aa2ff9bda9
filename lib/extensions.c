/* Walking over a block of extensions, and noticing repeated ones. What their
 * bodies say is left to whoever walks. */
#include "extensions.h"

#include <string.h>

#define FEW (sizeof((struct tf_type_set *)0)->few / sizeof(uint16_t))

/* Extension (RFC 8446 4.2, RFC 5246 7.4.1.4):
 *   2  ExtensionType
 *   2  length
 *   n  extension_data */
bool tf_extension_next(struct tf_reader *block, struct tf_extension *ext)
{
    if (block->left == 0)
        return false;
    ext->type = tf_read_u16(block);
    ext->body = tf_read_vec16(block);
    return !block->failed;
}

static bool add_bit(struct tf_type_set *set, uint16_t type)
{
    uint32_t bit = UINT32_C(1) << (type % 32);
    bool is_new = (set->bits[type / 32] & bit) == 0;
    set->bits[type / 32] |= bit;
    return is_new;
}

bool tf_type_set_add(struct tf_type_set *set, uint16_t type)
{
    if (set->n < FEW) {
        for (size_t i = 0; i < set->n; i++)
            if (set->few[i] == type)
                return false;
        set->few[set->n++] = type;
        return true;
    }
    if (set->n == FEW) {
        memset(set->bits, 0, sizeof set->bits);
        for (size_t i = 0; i < FEW; i++)
            add_bit(set, set->few[i]);
    }
    set->n++;
    return add_bit(set, type);
}
