/* conf.c, conf_values.c, conf_lists.c: sections, keys, and what values become. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "conf_stage.h"

static struct stage s;

static void assert_addr(const struct tf_addr *a, const char *expected)
{
    char text[TF_ADDR_TEXT_MAX];
    struct tf_writer w = tf_writer_of(text, sizeof text - 1);
    tf_put_addr_port(&w, a);
    text[w.len] = '\0';
    assert_string_equal(text, expected);
}

static void what_is_not_written_has_its_default(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER);
    assert_int_equal(s.conf.policy.floor, TF_TLS12);
    assert_false(s.conf.policy.monitor);
    assert_int_equal(s.conf.policy.rule_count, 0);
    assert_int_equal(s.conf.access.source.classes, 1u << TF_CLASS_LOOPBACK | 1u << TF_CLASS_PRIVATE);
    assert_int_equal(s.conf.access.destination.classes, 1u << TF_CLASS_PUBLIC);
    assert_int_equal(s.conf.access.port_count, 9);
    assert_int_equal(tf_access_port(&s.conf.access, 443), TF_REASON_NONE);
    assert_int_equal(tf_access_port(&s.conf.access, 22), TF_REASON_PORT_DENIED);
    assert_string_equal(s.conf.log.block, "-");
    assert_string_equal(s.conf.log.access, "off");
    assert_false(s.conf.admin_on);
    assert_string_equal(s.conf.dns_servers, "");
    assert_int_equal(s.conf.limits.hello_ms, 10000);
    assert_int_equal(s.conf.limits.hello_bytes, TF_HELLO_MAX);
    assert_int_equal(s.conf.limits.lookahead_bytes, 64 << 20);
    assert_null(s.conf.overrides);
}

static void a_listener_is_what_its_keys_say(void **state)
{
    (void)state;
    assert_fine(&s, "[listener a]\nlisten = 127.0.0.1:3128, [::1]:3128\n"
                    "[listener b]\nlisten = *:8443\nkind = sni\nport = 993\n");
    const struct tf_listener *a = s.conf.listeners, *b = a->next;
    assert_string_equal(a->name, "a");
    assert_int_equal(a->line, 1);
    assert_int_equal(a->kind, TF_KIND_CONNECT);
    assert_int_equal(a->address_count, 2);
    assert_addr(&a->addresses[1], "[::1]:3128");
    assert_string_equal(b->name, "b");
    assert_int_equal(b->line, 3);
    assert_int_equal(b->kind, TF_KIND_SNI);
    assert_int_equal(b->port, 993);
    assert_int_equal(b->addresses[0].family, TF_FAMILY_NONE);
    assert_null(b->next);
}

static void rules_are_in_the_order_of_the_file(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER
                "[rule one]\n"
                "listener = proxy\n"
                "source = 10.0.0.0/8, ::1\n"
                "destination = Mail.Example.COM., *.example.org, 192.0.2.0/24, 2001:db8::1, *\n"
                "port = 443, 8000-8099\n"
                "action = monitor\n"
                "until = 2099-12-31\n"
                "owner = print team\n"
                "ticket = CHG-1042\n"
                "[rule two]\naction = block\nport = 25\n");
    const struct tf_rule *r = s.conf.policy.rules;
    assert_int_equal(s.conf.policy.rule_count, 2);
    assert_string_equal(r->name, "one");
    assert_int_equal(r->line, 3);
    assert_string_equal(r->listeners[0], "proxy");
    assert_int_equal(r->source_count, 2);
    assert_int_equal(r->sources[0].bits, 8);
    assert_int_equal(r->destination_count, 5);
    assert_string_equal(r->destinations[0].pattern, "mail.example.com");
    assert_string_equal(r->destinations[1].pattern, "*.example.org");
    assert_int_equal(r->destinations[2].kind, TF_TO_BLOCK);
    assert_int_equal(r->destinations[2].cidr.bits, 24);
    assert_int_equal(r->destinations[3].cidr.bits, 128);
    assert_int_equal(r->destinations[4].kind, TF_TO_NAME);
    assert_string_equal(r->destinations[4].pattern, "*");
    assert_int_equal(r->ports[1].first, 8000);
    assert_int_equal(r->ports[1].last, 8099);
    assert_int_equal(r->action, TF_ACTION_MONITOR);
    assert_int_equal(r->until_day, 47481);
    assert_string_equal(r->owner, "print team");
    assert_string_equal(r[1].name, "two");
    assert_int_equal(r[1].until_day, INT32_MAX);
    assert_string_equal(r[1].ticket, "");
}

static void sets_are_destinations(void **state)
{
    (void)state;
    assert_fine(
        &s, STAGE_LISTENER
        "[rule a]\naction = upgrade\ndestination = @m365, @M365:exchange, @m365:teams, @m365:Optimize\n");
    const struct tf_destination *d = s.conf.policy.rules[0].destinations;
    assert_int_equal(s.conf.policy.rules[0].action, TF_ACTION_UPGRADE);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(d[i].kind, TF_TO_M365);
    assert_false(d[0].m365.by_area || d[0].m365.by_category);
    assert_true(d[1].m365.by_area);
    assert_int_equal(d[1].m365.area, TF_M365_EXCHANGE);
    assert_int_equal(d[2].m365.area, TF_M365_SKYPE);
    assert_true(d[3].m365.by_category);
    assert_int_equal(d[3].m365.category, TF_M365_OPTIMIZE);
}

static void what_upgrades_need_has_its_default(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER);
    assert_true(s.conf.policy.can_upgrade);
    assert_false(s.conf.policy.sni_mismatch);
    assert_int_equal(s.conf.policy.never_terminate_count, 2);
    assert_string_equal(s.conf.policy.never_terminate[0], "device.login.microsoftonline.com");
    assert_int_equal(s.conf.policy.stay_plain_count, 8);
    assert_int_equal(s.conf.m365.instance, TF_WORLDWIDE);
    assert_string_equal(s.conf.m365.endpoints, "builtin");
    assert_string_equal(s.conf.m365.overlay, "");
    assert_int_equal(s.conf.upstream.minimum, TF_TLS12);
    assert_string_equal(s.conf.upstream.ca_file, "system");
    assert_string_equal(s.conf.upstream.certificate, "");
    assert_string_equal(s.conf.ca.directory, "var/ca");
    assert_int_equal(s.conf.ca.leaf_days, 7);
    assert_int_equal(s.conf.ca.digest, TF_SHA256);
    assert_false(s.conf.ca.lenient);
}

static void what_upgrades_need_can_be_set(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER
                "[m365]\ninstance = gcchigh\nendpoints = my set.json\noverlay = more.json\n"
                "never_terminate = *.Example.com., a.*.b.example, *cdn.example.net\nstay_plain =\n"
                "[upstream]\nminimum = 1.3\nca_file = roots.pem\ncertificate = c.pem\nkey = k.pem\n"
                "sni_mismatch = allow\n"
                "[ca]\ndirectory = off\nleaf_days = 90\ndigest = sha1\nname_constraints = not-critical\n"
                "[limits]\nhandshake_s = 2\nleaves = 16\nupstream_sessions = 0\nclient_sessions = 5\n");
    assert_false(s.conf.policy.can_upgrade);
    assert_true(s.conf.policy.sni_mismatch);
    assert_int_equal(s.conf.policy.never_terminate_count, 3);
    assert_string_equal(s.conf.policy.never_terminate[0], "*.example.com");
    assert_string_equal(s.conf.policy.never_terminate[1], "a.*.b.example");
    assert_string_equal(s.conf.policy.never_terminate[2], "*cdn.example.net");
    assert_int_equal(s.conf.policy.stay_plain_count, 0);
    assert_int_equal(s.conf.m365.instance, TF_GCC_HIGH);
    assert_string_equal(s.conf.m365.endpoints, "my set.json");
    assert_string_equal(s.conf.m365.overlay, "more.json");
    assert_int_equal(s.conf.upstream.minimum, TF_TLS13);
    assert_string_equal(s.conf.upstream.ca_file, "roots.pem");
    assert_string_equal(s.conf.upstream.certificate, "c.pem");
    assert_string_equal(s.conf.upstream.key, "k.pem");
    assert_string_equal(s.conf.ca.directory, "off");
    assert_int_equal(s.conf.ca.leaf_days, 90);
    assert_int_equal(s.conf.ca.digest, TF_SHA1);
    assert_true(s.conf.ca.lenient);
    assert_int_equal(s.conf.limits.handshake_ms, 2000);
    assert_int_equal(s.conf.limits.leaves, 16);
    assert_int_equal(s.conf.limits.upstream_sessions, 0);
    assert_int_equal(s.conf.limits.client_sessions, 5);
}

static void plain_settings_are_stored_where_they_belong(void **state)
{
    (void)state;
    assert_fine(&s,
                STAGE_LISTENER "[floor]\nminimum = 1.3\nmode = monitor\n"
                               "[access]\nsource = private, 203.0.113.0/24\ndestination = public, private\n"
                               "[log]\nblock = /var/log/b.jsonl\naccess = -\n"
                               "[admin]\nlisten = 127.0.0.1:9180\n"
                               "[dns]\nservers = 192.0.2.1, 192.0.2.2:5353, 2001:db8::1, [2001:db8::2]:5353\n"
                               "[gateway]\nthreads = 3\n"
                               "[limits]\nidle_s = 0.5\ndrain_s = 0\nhello_s = 1.25\nlinger_s = 0.001\n"
                               "hello_bytes = 65536\nlookahead_bytes = 10000000000\n");
    assert_int_equal(s.conf.policy.floor, TF_TLS13);
    assert_true(s.conf.policy.monitor);
    assert_int_equal(s.conf.access.source.classes, 1u << TF_CLASS_PRIVATE);
    assert_int_equal(s.conf.access.source.block_count, 1);
    assert_int_equal(s.conf.access.destination.classes, 1u << TF_CLASS_PUBLIC | 1u << TF_CLASS_PRIVATE);
    assert_string_equal(s.conf.log.block, "/var/log/b.jsonl");
    assert_true(s.conf.admin_on);
    assert_addr(&s.conf.admin, "127.0.0.1:9180");
    assert_string_equal(s.conf.dns_servers,
                        "192.0.2.1:53,192.0.2.2:5353,[2001:db8::1]:53,[2001:db8::2]:5353");
    assert_int_equal(s.conf.threads, 3);
    assert_int_equal(s.conf.limits.idle_ms, 500);
    assert_int_equal(s.conf.limits.drain_ms, 0);
    assert_int_equal(s.conf.limits.hello_ms, 1250);
    assert_int_equal(s.conf.limits.linger_ms, 1);
    assert_int_equal(s.conf.limits.hello_bytes, 65536);
    assert_int_equal(s.conf.limits.lookahead_bytes, 10000000000);
}

static void the_origin_of_a_setting_can_be_asked_for(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER "[floor]\nmode = monitor\n");
    assert_int_equal(tf_conf_origin(&s.conf, "floor", "mode")->line, 4);
    assert_int_equal(tf_conf_origin(&s.conf, "log", "block")->source, TF_FROM_DEFAULT);
}

static const struct tf_override *override_for(const char *authority)
{
    struct tf_target target;
    assert_int_equal(tf_authority_parse(authority, strlen(authority), 0, &target), TF_HOST_OK);
    return tf_conf_override(&s.conf, &target);
}

static void overrides_add_up_and_the_first_that_fits_is_taken(void **state)
{
    (void)state;
    assert_fine(&s, STAGE_LISTENER "[upstream]\n"
                                   "resolve = Example.com:443:192.0.2.1:8443\n"
                                   "resolve = [2001:DB8::1]:*:[::1]:5, mail.example:0:192.0.2.2\n"
                                   "resolve = *:25:[2001:db8::25]\n"
                                   "resolve =\n");
    assert_addr(&override_for("EXAMPLE.com.:443")->to, "192.0.2.1:8443");
    assert_null(override_for("example.com:444"));
    assert_addr(&override_for("[2001:db8:0::1]:99")->to, "[::1]:5");
    assert_addr(&override_for("mail.example:25")->to, "192.0.2.2:0");
    assert_addr(&override_for("other.example:25")->to, "[2001:db8::25]:0");
    assert_null(override_for("other.example:26"));
}

static void bad_values_are_refused_and_the_error_says_what_to_write(void **state)
{
    static const char *const rows[][2] = {
        {"[floor]\nminimum = 1.1\n",
         "error t.ini:4: [floor] minimum = 1.1: there is no such choice; write 1.2 or 1.3\n"},
        {"[floor]\nminimum =\n", "write 1.2 or 1.3"},
        {"[floor]\nmode = Monitor\n", "write enforce or monitor"},
        {"[limits]\nidle_s = soon\n", "not a number of seconds"},
        {"[limits]\nidle_s = -1\n", "not a number of seconds"},
        {"[limits]\nidle_s = 1.\n", "not a number of seconds"},
        {"[limits]\nidle_s = .5\n", "not a number of seconds"},
        {"[limits]\nidle_s = 1.2345\n", "not a number of seconds"},
        {"[limits]\nidle_s = 0\n", "out of range; write seconds, 0.1 to 604800"},
        {"[limits]\nidle_s = 9999999999999999999999\n", "not a number of seconds"},
        {"[limits]\nhello_bytes = 65535\n", "out of range; write a number, 65536 to 131396"},
        {"[limits]\nhello_bytes = 64k\n", "not a whole number"},
        {"[limits]\nhello_bytes = 18446744073709551616\n", "not a whole number"},
        {"[limits]\nconnections = 4294967296\n", "out of range"},
        {"[access]\nport = 0\n", "0 is no port"},
        {"[access]\nport = 443, 65536\n", "65536 is no port"},
        {"[access]\nport = 9-8\n", "9-8 is no range of ports"},
        {"[access]\nport = 1-\n", "1- is no range of ports"},
        {"[access]\nport = 443,,80\n", "empty entry"},
        {"[access]\nport = 443,\n", "empty entry"},
        {"[access]\nport =\n", "it is empty"},
        {"[access]\nsource =\n", "it is empty"},
        {"[listener x]\nlisten =\n", "it is empty"},
        {"[listener x]\nlisten = 127.0.0.1:1\nport = 0\n", "out of range; write a number, 1 to 65535"},
        {"[rule x]\naction = block\nuntil = 2027-02-29\n", "there is no such date"},
        {"[rule x]\naction = block\nuntil = 31.12.2027\n", "there is no such date"},
        {"[rule x]\naction = block\nuntil = 2027-1-01\n", "there is no such date"},
        {"[rule x]\naction = block\nuntil = 2027-00-01\n", "there is no such date"},
        {"[rule x]\naction = block\ndestination = a..b\n", "a..b: a part of the host name is empty"},
        {"[rule x]\naction = block\ndestination = a.*.b\n", "a character that no host name can have"},
        {"[rule x]\naction = block\ndestination = 0x7f.1\n",
         "0x7f.1 is a spelling of an address; write 127.0.0.1\n"},
        {"[upstream]\nresolve = a\n", "has no port behind the host"},
        {"[upstream]\nresolve = a:1\n", "has no address behind the port"},
        {"[upstream]\nresolve = a:1:b\n", "has no address behind the port"},
        {"[upstream]\nresolve = a:1:::1\n", "has no address behind the port"},
        {"[upstream]\nresolve = a:65536:1.2.3.4\n", "has no port behind the host"},
        {"[upstream]\nresolve = :1:1.2.3.4\n", "the host is empty"},
        {"[upstream]\nresolve = [::1:1:1.2.3.4\n", "is none"},
        {"[upstream]\nresolve = a:1:1.2.3.4:0x1\n", "has no address behind the port"},
        {"[dns]\nservers = dns.example\n", "dns.example is no address"},
        {"[limits]\nidle_s = 10 # ten\n", "there is a # in the value; comments begin with ;\n"},
        {"[log]\nblock = #none\n", "there is a # in the value; comments begin with ;\n"},
        {"[admin]\nlisten = on\n", "write ADDRESS:PORT or off"},
        {"[log]\nblock =\n",
         "it is empty; write a file, -, off, syslog:, syslog:/PATH, syslog:HOST:PORT or "},
        {"[log]\nblock = syslog:host\n", "the port is missing or not 1 to 65535; write a file, "},
        {"[log]\naccess = syslog:tcp:514\n", "the port is missing or not 1 to 65535; write a file, "},
        {"[m365]\ninstance = azure\n", "write worldwide, gcc, gcchigh, dod or china"},
        {"[m365]\nendpoints =\n", "it is empty; write a file or builtin"},
        {"[upstream]\nminimum = 1.1\n", "there is no such choice; write 1.2 or 1.3"},
        {"[upstream]\nca_file =\n", "it is empty; write a file or system"},
        {"[upstream]\nsni_mismatch = on\n", "write refuse or allow"},
        {"[ca]\ndirectory =\n", "it is empty; write a directory or off"},
        {"[ca]\nleaf_days = 91\n", "out of range; write a number, 1 to 90"},
        {"[ca]\ndigest = md5\n", "write sha256 or sha1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char lines[512] = STAGE_LISTENER;
        strcat(lines, rows[i][0]);
        assert_refused(&s, lines, rows[i][1]);
        assert_int_equal(s.load.errors, 1);
    }
}

static void every_wrong_entry_of_a_list_is_reported(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[access]\nport = 0, 443,, 65536, 9-8\n",
                   "error t.ini:4: [access] port: 0 is no port (1 to 65535); write ");
    assert_non_null(strstr(s.text, "error t.ini:4: [access] port: there is an empty entry between commas"));
    assert_non_null(strstr(s.text, "error t.ini:4: [access] port: 65536 is no port"));
    assert_non_null(strstr(s.text, "error t.ini:4: [access] port: 9-8 is no range of ports"));
    assert_int_equal(s.load.errors, 4);
    assert_refused(&s, STAGE_LISTENER "[upstream]\nresolve = a, b:1:1.2.3.4, c\n", "resolve: a has no port");
    assert_int_equal(s.load.errors, 2);
}

static void unknown_sections_and_keys_are_refused_with_the_nearest_one(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[flor]\n",
                   "error t.ini:3: there is no section [flor]; did you mean [floor]?\n");
    assert_refused(&s, STAGE_LISTENER "[xyzzy]\n",
                   "there is no section [xyzzy]; see tlsfloor check --reference\n");
    assert_refused(&s, STAGE_LISTENER "[Floor]\n", "did you mean [floor]?");
    assert_refused(&s, STAGE_LISTENER "[lisener x]\n", "did you mean [listener NAME]?");
    assert_refused(
        &s, STAGE_LISTENER "[floor]\nminimun = 1.2\n",
        "error t.ini:4: [floor] has no key minimun; did you mean minimum? Its keys: minimum, mode\n");
    assert_refused(&s, STAGE_LISTENER "[limits]\nidel_s = 1\n", "did you mean idle_s?");
    assert_refused(&s, STAGE_LISTENER "[floor]\nxyzzy = 1\n",
                   "[floor] has no key xyzzy; its keys: minimum, mode\n");
    assert_refused(&s, STAGE_LISTENER "[ca]\nxyzzy = 1\n",
                   "[ca] has no key xyzzy; its keys: directory, make, leaf_days, digest, name_constraints\n");
    assert_refused(&s, STAGE_LISTENER "[limits]\nxyzzy = 1\n", ", client_sessions\n");
    assert_refused(&s, STAGE_LISTENER "idle_s = 1\n",
                   "[listener proxy] has no key idle_s; it belongs into [limits]\n");
}

static void keys_of_a_section_that_is_unknown_are_passed_over(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[flor]\nfoo = 1\nbar = 2\n", "[flor]");
    assert_int_equal(s.load.errors, 1);
}

static void a_key_in_front_of_all_sections_is_refused(void **state)
{
    (void)state;
    assert_refused(&s, "minimum = 1.2\n" STAGE_LISTENER, "error t.ini:1: minimum is in no section");
    assert_int_equal(s.load.errors, 1);
}

static void headers_have_a_name_where_one_belongs(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[rule]\n", "a rule needs a name; write [rule NAME]");
    assert_refused(&s, STAGE_LISTENER "[floor x]\n", "[floor] takes no name; write [floor]");
    assert_refused(&s, STAGE_LISTENER "[rule a b]\n", "a name may have up to 32 letters");
    assert_refused(&s, STAGE_LISTENER "[rule a\"b]\n", "a name may have up to 32 letters");
    assert_refused(&s, STAGE_LISTENER "[rule a23456789012345678901234567890123]\n",
                   "a name may have up to 32 letters");
    assert_fine(&s, "[listener a2345678901234567890123456789012]\nlisten = *:1\n");
}

static void names_must_differ_even_in_the_environment(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[listener proxy]\n",
                   "error t.ini:3: there is [listener proxy] already, in line 1; give");
    assert_refused(&s, "[listener a-b]\nlisten = *:1\n[listener A_b]\nlisten = *:2\n",
                   "there is [listener a-b] already");
    assert_fine(&s, STAGE_LISTENER "[rule proxy]\naction = block\nport = 25\n");
}

static void a_key_is_set_once(void **state)
{
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[floor]\nmode = monitor\nmode = enforce\n",
                   "error t.ini:5: [floor] mode is set already, in line 4; keep one of the two\n");
    assert_refused(&s, STAGE_LISTENER "[floor]\nmode = enforce\n[log]\n[floor]\nmode = enforce\n",
                   "is set already, in line 4");
}

static void all_errors_of_a_file_are_reported(void **state)
{
    (void)state;
    assert_refused(&s, "[floor]\nminimum = 1\nmod = 1\n[limit]\n[rule x]\n[listener a]\nkind = x\n", "");
    assert_non_null(strstr(s.text, "t.ini:2:"));
    assert_non_null(strstr(s.text, "t.ini:3:"));
    assert_non_null(strstr(s.text, "t.ini:4:"));
    assert_non_null(strstr(s.text, "t.ini:5: [rule x] has no action"));
    assert_non_null(strstr(s.text, "t.ini:6: [listener a] has no listen"));
    assert_non_null(strstr(s.text, "t.ini:7:"));
    assert_int_equal(s.load.errors, 6);
}

static void values_that_no_file_could_hold_are_refused(void **state)
{
    static char lines[TF_CONF_VALUE_MAX + 200];
    (void)state;
    assert_refused(&s, STAGE_LISTENER "[rule x]\naction = block\nowner = a\x1b[31m\n", "control character");
    assert_refused(&s, STAGE_LISTENER "[rule x]\naction = block\nowner = a ; b\n", "begins a comment");
    assert_fine(&s, STAGE_LISTENER "[rule x]\naction = block\nowner = a;b\nticket = team # 4\n");

    strcpy(lines, STAGE_LISTENER "[rule x]\naction = block\nowner = ");
    size_t n = strlen(lines);
    memset(lines + n, 'x', TF_CONF_VALUE_MAX);
    assert_fine(&s, lines);
    assert_int_equal(strlen(s.conf.policy.rules[0].owner), TF_CONF_VALUE_MAX);
    lines[n + TF_CONF_VALUE_MAX] = 'x';
    assert_refused(&s, lines, "longer than 8192 bytes");
}

/* Every size of arena: the load fails with a word, and never reads what is not there. */
static void a_full_arena_is_an_error_and_no_crash(void **state)
{
    static const char lines[] =
        STAGE_LISTENER "[rule a]\naction = block\ndestination = a.b, 10.0.0.0/8\nowner = x\n"
                       "[upstream]\nresolve = a:1:1.2.3.4\nresolve = b:1:1.2.3.4\n"
                       "[dns]\nservers = 1.2.3.4\n[access]\nsource = 10.0.0.0/8\n";
    size_t size = 0;
    bool ok = false;
    (void)state;
    for (; !ok; size += 8) {
        stage_begin(&s);
        s.arena = (struct tf_arena){.base = (uint8_t *)s.memory, .size = size};
        tf_conf_begin(&s.load);
        stage_feed(&s, lines);
        tf_conf_environment(&s.load, "TLSFLOOR_RULE_B_ACTION", "block");
        ok = stage_end(&s);
        if (!ok)
            assert_non_null(strstr(s.text, "more memory than there is"));
    }
    assert_true(size > 1000 && size < sizeof s.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_written_has_its_default),
        cmocka_unit_test(a_listener_is_what_its_keys_say),
        cmocka_unit_test(rules_are_in_the_order_of_the_file),
        cmocka_unit_test(sets_are_destinations),
        cmocka_unit_test(what_upgrades_need_has_its_default),
        cmocka_unit_test(what_upgrades_need_can_be_set),
        cmocka_unit_test(plain_settings_are_stored_where_they_belong),
        cmocka_unit_test(the_origin_of_a_setting_can_be_asked_for),
        cmocka_unit_test(overrides_add_up_and_the_first_that_fits_is_taken),
        cmocka_unit_test(bad_values_are_refused_and_the_error_says_what_to_write),
        cmocka_unit_test(every_wrong_entry_of_a_list_is_reported),
        cmocka_unit_test(unknown_sections_and_keys_are_refused_with_the_nearest_one),
        cmocka_unit_test(keys_of_a_section_that_is_unknown_are_passed_over),
        cmocka_unit_test(a_key_in_front_of_all_sections_is_refused),
        cmocka_unit_test(headers_have_a_name_where_one_belongs),
        cmocka_unit_test(names_must_differ_even_in_the_environment),
        cmocka_unit_test(a_key_is_set_once),
        cmocka_unit_test(all_errors_of_a_file_are_reported),
        cmocka_unit_test(values_that_no_file_could_hold_are_refused),
        cmocka_unit_test(a_full_arena_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
