/* A parent proxy's answer: what it came to must not depend on the pieces that it came in, and a refusal must
 * have a status line to show. The first byte says how long the pieces are. */
#include "../../lib/parent.h"
#include <stdlib.h>
#include <string.h>

static void check(bool holds)
{
    if (!holds)
        abort();
}

static enum tf_parse hear(const uint8_t *data, size_t n, bool eof, size_t *used, struct tf_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    enum tf_parse result = tf_parent_response((struct tf_span){data, n}, eof, used, facts);
    check(*used <= n && result != TF_PARSE_OTHER);
    check((result == TF_PARSE_BAD) == (facts->reason != TF_REASON_NONE));
    check(result != TF_PARSE_MORE || !eof);
    if (result == TF_PARSE_BAD && facts->detail == NULL)
        check(tf_parent_status_line((struct tf_span){data, n}, *used).n >= sizeof "HTTP/1.1 301" - 1);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tf_facts whole, pieces;
    size_t used, used_in_pieces = 0;
    enum tf_parse in_pieces = TF_PARSE_MORE;
    if (size < 1)
        return 0;
    size_t n = size - 1, piece = (size_t)data[0] + 1;
    enum tf_parse result = hear(data + 1, n, false, &used, &whole);
    for (size_t end = 0; end < n && in_pieces == TF_PARSE_MORE;) {
        end = n - end < piece ? n : end + piece;
        in_pieces = hear(data + 1, end, false, &used_in_pieces, &pieces);
    }
    check(n == 0 || (result == in_pieces && used == used_in_pieces && whole.reason == pieces.reason &&
                     whole.detail == pieces.detail));
    if (result == TF_PARSE_MORE)
        check(hear(data + 1, n, true, &used, &whole) == TF_PARSE_BAD);
    return 0;
}
