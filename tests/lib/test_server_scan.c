/* What comes before and around a ServerHello, and that nothing of one is let through. */
#include "server_stream.h"

static void server_hello_is_reassembled_at_every_cut(void **state)
{
    (void)state;
    make_message(TF_TLS12, NULL, TF_TLS13);
    for (size_t first = 1; first < message.n; first++)
        for (size_t rest = 1; rest < 200; rest += 66) {
            stream.n = 0;
            put_records(&stream, &message, first, rest);
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
            assert_int_equal(hello.version, TF_TLS13);
            assert_int_equal(hello.extensions.n, exts.n);
            assert_memory_equal(hello.extensions.p, exts.p, exts.n);
            assert_int_equal(hello.wire_len, stream.n);
            assert_int_equal(scan.passable, 0);
        }
}

static void server_hello_in_one_byte_records_and_segments_is_read(void **state)
{
    (void)state;
    make_message(TF_TLS12, NULL, TF_TLS13);
    put_records(&stream, &message, 1, 1);
    assert_int_equal(scan_growing(), TF_PARSE_DONE);
    assert_int_equal(hello.version, TF_TLS13);
    assert_int_equal(hello.wire_len, stream.n);
}

static void every_prefix_asks_for_more_and_lets_nothing_pass(void **state)
{
    (void)state;
    make_message(TF_TLS12, NULL, TF_TLS13);
    for (size_t size = 1; size < 200; size += 33) {
        stream.n = 0;
        put_records(&stream, &message, size, size);
        for (size_t n = 0; n < stream.n; n++) {
            assert_int_equal(scan_bytes(stream.p, n), TF_PARSE_MORE);
            assert_int_equal(scan.passable, 0);
        }
    }
}

static void other_handshake_messages_are_malformed(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        stream.n = 0;
        add_hello(TF_TLS12, 0);
        stream.p[5] = (uint8_t)type;
        if (type == 2)
            assert_int_equal(scan_stream(), TF_PARSE_DONE);
        else
            assert_bad(scan_stream());
    }
}

static void what_is_no_tls_is_other(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } rows[] = {
        {BYTES("HTTP/1.1 400 Bad Request\r\n\r\n")},
        {BYTES("220 mail.example.com ESMTP\r\n")},
        {BYTES("SSH-2.0-x\r\n")},
        {BYTES("\x80\x23\4\0\1\0\2\0\0\0\3\0\x10\1\0\x80")}, /* SSLv2 SERVER-HELLO */
        {BYTES("\x16\2\0\0\x31")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_refused(scan_bytes((const uint8_t *)rows[i].p, rows[i].n), TF_PARSE_OTHER);
        assert_int_equal(scan.passable, 0);
    }
}

static void application_data_first_is_malformed(void **state)
{
    (void)state;
    put_record(&stream, 23, "data", 4);
    add_hello(TF_TLS12, 0);
    assert_bad(scan_stream());
    assert_int_equal(scan.passable, 0);
}

static void alerts_may_pass_and_are_remembered(void **state)
{
    (void)state;
    add_alert(1, 112);
    assert_int_equal(scan_bytes(stream.p, 6), TF_PARSE_MORE);
    assert_int_equal(scan.passable, 0); /* not before it is whole */
    assert_int_equal(scan_stream(), TF_PARSE_MORE);
    assert_int_equal(scan.passable, 7);
    add_alert(2, 70);
    assert_int_equal(scan_growing(), TF_PARSE_MORE);
    assert_int_equal(scan.passable, 14);
    assert_true(scan.alerted);
    assert_int_equal(scan.alert_level, 2);
    assert_int_equal(scan.alert_description, 70);
}

static void server_hello_behind_an_alert_is_read_and_does_not_pass(void **state)
{
    (void)state;
    add_alert(1, 112);
    add_hello(TF_TLS12, TF_TLS13);
    assert_int_equal(scan_growing(), TF_PARSE_DONE);
    assert_int_equal(hello.version, TF_TLS13);
    assert_int_equal(scan.passable, 7);
    make_message(TF_TLS12, NULL, TF_TLS13);
    stream.n = 7;
    put_records(&stream, &message, 20, 20); /* gathered from behind the alert */
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.version, TF_TLS13);
    assert_int_equal(scan.passable, 7);
}

static void odd_alerts_are_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } rows[] = {
        {BYTES("\2")}, {BYTES("\2\x46\2\x46")}, {BYTES("\0\x46")}, {BYTES("\3\x46")}, {BYTES("\2\x46\0")}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        stream.n = 0;
        put_record(&stream, 21, rows[i].p, rows[i].n);
        assert_bad(scan_stream());
        assert_int_equal(scan.passable, 0);
    }
}

static void alert_inside_a_server_hello_is_malformed(void **state)
{
    (void)state;
    make_message(TF_TLS12, NULL, 0);
    for (size_t cut = 1; cut < message.n; cut++) {
        stream.n = 0;
        put_record(&stream, 22, message.p, cut);
        add_alert(1, 0);
        put_record(&stream, 22, message.p + cut, message.n - cut);
        assert_bad(scan_stream());
        assert_int_equal(scan.passable, 0);
    }
}

static void endless_alerts_are_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16; i++)
        add_alert(1, 90);
    assert_int_equal(scan_stream(), TF_PARSE_MORE);
    add_alert(1, 90);
    assert_bad(scan_stream());
}

static void retry_passes_and_the_server_hello_behind_it_is_read(void **state)
{
    (void)state;
    add_retry(TF_TLS13);
    size_t retry = stream.n;
    assert_int_equal(scan_growing(), TF_PARSE_MORE);
    assert_true(scan.retried);
    assert_int_equal(scan.passable, retry);
    add_ccs();
    assert_int_equal(scan_growing(), TF_PARSE_MORE);
    assert_int_equal(scan.passable, retry + 6);
    add_hello(TF_TLS12, TF_TLS13);
    assert_int_equal(scan_growing(), TF_PARSE_DONE);
    assert_true(hello.hello_retry);
    assert_int_equal(hello.version, TF_TLS13);
    assert_int_equal(hello.wire_len, stream.n);
    assert_int_equal(scan.passable, retry + 6);
}

static void server_hello_behind_a_retry_is_held_to_what_it_picks(void **state)
{
    (void)state;
    add_retry(TF_TLS13);
    size_t retry = stream.n;
    add_hello(TF_TLS10, 0);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_int_equal(hello.version, TF_TLS10);
    assert_int_equal(scan.passable, retry);
}

static void retry_and_hello_split_into_records_are_reassembled(void **state)
{
    (void)state;
    for (size_t size = 1; size < 120; size += 7) {
        stream.n = 0;
        make_message(TF_TLS12, retry_random, TF_TLS13);
        put_records(&stream, &message, size, size);
        size_t retry = stream.n;
        make_message(TF_TLS12, NULL, 0x7f1c);
        put_records(&stream, &message, size, size);
        for (size_t n = 0; n < stream.n; n++) {
            assert_int_equal(scan_bytes(stream.p, n), TF_PARSE_MORE);
            assert_int_equal(scan.passable, n < retry ? 0 : retry);
            assert_int_equal(scan.in.scratch_wanted, 0);
        }
        assert_int_equal(scan_growing(), TF_PARSE_DONE);
        assert_int_equal(hello.version, 0x7f1c);
        assert_int_equal(scan.passable, retry);
    }
}

static void retry_below_the_floor_is_done_and_does_not_pass(void **state)
{
    (void)state;
    add_retry(TF_TLS11);
    assert_int_equal(scan_stream(), TF_PARSE_DONE);
    assert_true(hello.hello_retry);
    assert_int_equal(hello.version, TF_TLS11);
    assert_int_equal(scan.passable, 0);

    stream.n = 0;
    add_retry(0x7f16);
    scan = (struct tf_server_scan){.floor = TF_TLS13};
    assert_int_equal(feed_bytes(stream.p, stream.n), TF_PARSE_MORE);
    assert_int_equal(scan.passable, stream.n);
}

static void second_retry_is_malformed(void **state)
{
    (void)state;
    add_retry(TF_TLS13);
    size_t first = stream.n;
    add_retry(TF_TLS13);
    assert_bad(scan_stream());
    assert_int_equal(scan.passable, first);
}

static void record_that_goes_on_behind_a_retry_is_malformed(void **state)
{
    (void)state;
    make_message(TF_TLS12, retry_random, TF_TLS13);
    put_message(&message, 2, &body);
    put_record(&stream, 22, message.p, message.n);
    assert_bad(scan_stream());
    assert_int_equal(scan.passable, 0);
}

static void change_cipher_spec_is_for_once_behind_a_retry(void **state)
{
    (void)state;
    add_ccs();
    add_hello(TF_TLS12, 0);
    assert_bad(scan_stream());
    stream.n = 0;
    add_retry(TF_TLS13);
    add_ccs();
    size_t once = stream.n;
    add_ccs();
    assert_bad(scan_stream());
    assert_int_equal(scan.passable, once);
    stream.n = once - 1;
    put_fill(&stream, 2, 1);
    assert_bad(scan_stream());
    stream.n = once - 6;
    put_record(&stream, 20, "\1\1", 2);
    assert_bad(scan_stream());
}

static void plain_text_behind_a_retry_is_malformed(void **state)
{
    (void)state;
    add_retry(TF_TLS13);
    size_t retry = stream.n;
    put_bytes(&stream, "HTTP/1.1 400 Bad Request\r\n", 26);
    assert_bad(scan_stream());
    assert_int_equal(scan.passable, retry);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(server_hello_is_reassembled_at_every_cut),
        TEST(server_hello_in_one_byte_records_and_segments_is_read),
        TEST(every_prefix_asks_for_more_and_lets_nothing_pass),
        TEST(other_handshake_messages_are_malformed),
        TEST(what_is_no_tls_is_other),
        TEST(application_data_first_is_malformed),
        TEST(alerts_may_pass_and_are_remembered),
        TEST(server_hello_behind_an_alert_is_read_and_does_not_pass),
        TEST(odd_alerts_are_malformed),
        TEST(alert_inside_a_server_hello_is_malformed),
        TEST(endless_alerts_are_malformed),
        TEST(retry_passes_and_the_server_hello_behind_it_is_read),
        TEST(server_hello_behind_a_retry_is_held_to_what_it_picks),
        TEST(retry_and_hello_split_into_records_are_reassembled),
        TEST(retry_below_the_floor_is_done_and_does_not_pass),
        TEST(second_retry_is_malformed),
        TEST(record_that_goes_on_behind_a_retry_is_malformed),
        TEST(change_cipher_spec_is_for_once_behind_a_retry),
        TEST(plain_text_behind_a_retry_is_malformed),
    };
    return cmocka_run_group_tests_name("server_scan", tests, NULL, NULL);
}
