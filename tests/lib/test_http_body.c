/* http_body.c: a body keeps its bytes, gets new framing, and ends where it ends. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "../../lib/http_body.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static char output[65536];
static size_t output_len;
static size_t consumed;

/* Moves text[0..n), `step` bytes at a time, into writers of `room` bytes. */
static enum tf_http_result move(struct tf_http_body body, const char *text, size_t n, size_t step,
                                size_t room)
{
    enum tf_http_result result = TF_HTTP_MORE;
    size_t shown = 0;
    output_len = consumed = 0;
    while (result == TF_HTTP_MORE && (shown < n || consumed < shown)) {
        size_t used = 0;
        shown = n - shown < step ? n : shown + step;
        struct tf_writer w = tf_writer_of(output + output_len, room);
        struct tf_span in = {(const uint8_t *)text + consumed, shown - consumed};
        result = tf_http_body_move(&body, in, &used, &w);
        assert_false(w.full);
        assert_true(used <= in.n);
        consumed += used;
        output_len += w.len;
        assert_true(output_len + room <= sizeof output);
    }
    output[output_len] = '\0';
    return result;
}

static void assert_moved(struct tf_http_body body, const char *text, const char *expected, const char *rest)
{
    static const size_t steps[] = {1, 2, 3, 7, 4096},
                        rooms[] = {TF_HTTP_BODY_ROOM, TF_HTTP_BODY_ROOM + 5, 4096};
    for (size_t i = 0; i < COUNT(steps); i++)
        for (size_t j = 0; j < COUNT(rooms); j++) {
            assert_int_equal(move(body, text, strlen(text), steps[i], rooms[j]), TF_HTTP_DONE);
            assert_string_equal(output, expected);
            assert_string_equal(text + consumed, rest);
        }
}

static void an_empty_body_takes_nothing(void **state)
{
    (void)state;
    size_t used = 1;
    char room[TF_HTTP_BODY_ROOM];
    struct tf_writer w = tf_writer_of(room, sizeof room);
    struct tf_http_body zero = {0}, empty = tf_http_body_of(TF_HTTP_EMPTY, 5),
                        none = tf_http_body_of(TF_HTTP_LENGTH, 0);
    assert_true(tf_http_body_is_done(&zero));
    assert_true(tf_http_body_is_done(&empty));
    assert_true(tf_http_body_is_done(&none));
    assert_int_equal(tf_http_body_move(&none, (struct tf_span){(const uint8_t *)"GET", 3}, &used, &w),
                     TF_HTTP_DONE);
    assert_int_equal(used, 0);
    assert_int_equal(w.len, 0);
}

static void a_length_is_kept_to_the_byte(void **state)
{
    (void)state;
    assert_moved(tf_http_body_of(TF_HTTP_LENGTH, 45), "a body of forty-five bytes, and not a byte moreGET",
                 "a body of forty-five bytes, and not a byte mo", "reGET");
}

static void a_body_until_close_is_never_done(void **state)
{
    (void)state;
    struct tf_http_body body = tf_http_body_of(TF_HTTP_UNTIL_CLOSE, 0);
    assert_int_equal(move(body, "all of it", 9, 2, 64), TF_HTTP_MORE);
    assert_string_equal(output, "all of it");
}

static const char chunked[] = "000000000000000000005;ext=\"a;b\" ; c\r\nhello\r\n"
                              "1A \t;x\r\nabcdefghijklmnopqrstuvwxyz\r\n"
                              "00;last\r\nX-Trailer: a\r\nContent-Length:5\r\n\r\nNEXT";

static void chunks_are_framed_anew_without_extensions_and_trailers(void **state)
{
    (void)state;
    assert_moved(tf_http_body_of(TF_HTTP_CHUNKED, 0), chunked,
                 "5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", "NEXT");
}

static void an_unframed_body_is_the_content_alone(void **state)
{
    (void)state;
    struct tf_http_body body = tf_http_body_of(TF_HTTP_CHUNKED, 0);
    body.is_unframed = true;
    assert_moved(body, chunked, "helloabcdefghijklmnopqrstuvwxyz", "NEXT");
}

static void a_body_that_looks_like_framing_stays_content(void **state)
{
    (void)state;
    assert_moved(tf_http_body_of(TF_HTTP_CHUNKED, 0), "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
                 "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "");
}

static void the_largest_chunk_has_sixteen_digits(void **state)
{
    (void)state;
    struct tf_http_body body = tf_http_body_of(TF_HTTP_CHUNKED, 0);
    const char *text = "fffffffffffffffF\r\nx";
    assert_int_equal(move(body, text, strlen(text), 1, 64), TF_HTTP_MORE);
    assert_string_equal(output, "ffffffffffffffff\r\nx");
}

static void malformed_chunks_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "0x5\r\nhello\r\n",
        " 5\r\nhello\r\n",
        "5 \r\nhello\r\n",
        "5 6\r\n",
        "5,\r\n",
        "5\nhello\r\n",
        "5\r\r\nhello",
        "5\rhello",
        "5;a\nb\r\n",
        "5;a\x01\r\n",
        "5;a\rb\r\n",
        "10000000000000000\r\n",
        "fffffffffffffffff\r\n",
        ";a\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\rX0\r\n\r\n",
        "0\r\nA: b\n\r\n",
        "0\r\nA: b\rX\r\n",
        "0\r\n A: b\r\n",
        "0\r\nA : b\r\n",
        "0\r\nA\r\n",
        "0\r\n: b\r\n",
        "0\r\nGET / HTTP/1.1\r\n",
        "0\r\nA: \x7f\r\n",
        "0\r\n\rX",
        "0\r\n\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        for (size_t step = 1; step <= 64; step += 63)
            if (move(tf_http_body_of(TF_HTTP_CHUNKED, 0), bad[i], strlen(bad[i]), step, 64) != TF_HTTP_BAD)
                fail_msg("accepted: %s", bad[i]);
}

static void endless_size_lines_and_trailers_are_refused(void **state)
{
    (void)state;
    static const char *const starts[] = {"0", "5;", "5 ", "0\r\n", "0\r\nA:"}, *const more[] = {"0", "a", " ",
                                                                                                "A:\r\n",
                                                                                                "b"};
    for (size_t i = 0; i < COUNT(starts); i++) {
        char text[2 * TF_HTTP_BODY_LINE_MAX];
        struct tf_writer w = tf_writer_of(text, sizeof text);
        tf_put_text(&w, starts[i]);
        while (!w.full)
            tf_put_text(&w, more[i]);
        assert_int_equal(move(tf_http_body_of(TF_HTTP_CHUNKED, 0), text, w.len, 1000, 64), TF_HTTP_BAD);
        w.len = TF_HTTP_BODY_LINE_MAX - 100;
        assert_int_equal(move(tf_http_body_of(TF_HTTP_CHUNKED, 0), text, w.len, 1000, 64), TF_HTTP_MORE);
    }
}

static void many_chunks_are_no_long_line(void **state)
{
    (void)state;
    char text[3 * TF_HTTP_BODY_LINE_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text - 5);
    while (!w.full)
        tf_put_text(&w, "1;x\r\n!\r\n");
    w = (struct tf_writer){.p = text, .cap = sizeof text, .len = w.len};
    tf_put_text(&w, "0\r\n\r\n");
    assert_int_equal(move(tf_http_body_of(TF_HTTP_CHUNKED, 0), text, w.len, 1000, 2000), TF_HTTP_DONE);
}

static void without_room_nothing_is_consumed(void **state)
{
    (void)state;
    char room[TF_HTTP_BODY_ROOM];
    struct tf_http_body body = tf_http_body_of(TF_HTTP_CHUNKED, 0);
    struct tf_writer w = tf_writer_of(room, sizeof room);
    size_t used = 1;
    w.len = 1;
    assert_int_equal(tf_http_body_move(&body, (struct tf_span){(const uint8_t *)"5\r\nhello", 8}, &used, &w),
                     TF_HTTP_MORE);
    assert_int_equal(used, 0);
}

static void the_framing_of_a_response_follows_its_status_and_its_head(void **state)
{
    (void)state;
    static const struct {
        struct tf_http_head head;
        bool is_to_head;
        enum tf_http_framing framing;
    } rows[] = {
        {{.status = 200, .has_length = true, .length = 5}, false, TF_HTTP_LENGTH},
        {{.status = 200, .is_chunked = true}, false, TF_HTTP_CHUNKED},
        {{.status = 200}, false, TF_HTTP_UNTIL_CLOSE},
        {{.status = 200, .has_length = true, .length = 5}, true, TF_HTTP_EMPTY},
        {{.status = 200, .is_chunked = true}, true, TF_HTTP_EMPTY},
        {{.status = 199, .has_length = true, .length = 5}, false, TF_HTTP_EMPTY},
        {{.status = 204, .is_chunked = true}, false, TF_HTTP_EMPTY},
        {{.status = 304, .has_length = true, .length = 5}, false, TF_HTTP_EMPTY},
        {{.status = 404, .has_length = true, .length = 5}, false, TF_HTTP_LENGTH},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tf_http_body body = tf_http_response_body(&rows[i].head, rows[i].is_to_head);
        assert_int_equal(body.framing, rows[i].framing);
        assert_int_equal(tf_http_body_is_done(&body), rows[i].framing == TF_HTTP_EMPTY);
        if (rows[i].framing == TF_HTTP_LENGTH)
            assert_int_equal(body.left, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_body_takes_nothing),
        cmocka_unit_test(a_length_is_kept_to_the_byte),
        cmocka_unit_test(a_body_until_close_is_never_done),
        cmocka_unit_test(chunks_are_framed_anew_without_extensions_and_trailers),
        cmocka_unit_test(an_unframed_body_is_the_content_alone),
        cmocka_unit_test(a_body_that_looks_like_framing_stays_content),
        cmocka_unit_test(the_largest_chunk_has_sixteen_digits),
        cmocka_unit_test(malformed_chunks_are_refused),
        cmocka_unit_test(endless_size_lines_and_trailers_are_refused),
        cmocka_unit_test(many_chunks_are_no_long_line),
        cmocka_unit_test(without_room_nothing_is_consumed),
        cmocka_unit_test(the_framing_of_a_response_follows_its_status_and_its_head),
    };
    return cmocka_run_group_tests_name("http_body", tests, NULL, NULL);
}
