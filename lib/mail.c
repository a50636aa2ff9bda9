/* Ports, names and known answers of mail servers; see mail.h. */
#include "mail.h"

#include "hello.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

enum tf_mail tf_mail_of_port(uint16_t port)
{
    switch (port) {
    case 25:
    case 587:
        return TF_MAIL_SMTP;
    case 143:
        return TF_MAIL_IMAP;
    case 110:
        return TF_MAIL_POP3;
    default:
        return TF_MAIL_NONE;
    }
}

bool tf_mail_is_tls_port(uint16_t port)
{
    return port == 465 || port == 993 || port == 995;
}

const char *tf_mail_name(enum tf_mail mail)
{
    static const char *const names[] = {
        [TF_MAIL_NONE] = "", [TF_MAIL_SMTP] = "smtp", [TF_MAIL_IMAP] = "imap", [TF_MAIL_POP3] = "pop3"};
    return names[mail];
}

static const struct tf_mail_answer answers[] = {
#define ANSWER(code, words, is_tls_problem, meaning, advice) {code, words, is_tls_problem, meaning, advice},
#include "mail_answers.def"
#undef ANSWER
};

const struct tf_mail_answer tf_mail_token_refused = {
    .code = "XOAUTH2",
    .words = "",
    .is_tls_problem = false,
    .meaning = "the server does not accept the gateway's OAuth token for the mailbox",
    .advice =
        "not a TLS problem, nor the device's password: check that the app has SMTP.SendAsApp "
        "(IMAP.AccessAsApp, POP.AccessAsApp) with an administrator's consent, that its service principal is "
        "registered in Exchange Online and has a right to the mailbox, and that SMTP AUTH is on for it"};

/* Whether a line has a code at its beginning, and not a longer one. */
static bool begins_with(struct tf_text line, const char *code)
{
    size_t n = strlen(code);
    if (line.n < n || memcmp(line.p, code, n) != 0)
        return false;
    return line.n == n || !(tf_ascii_is_digit(line.p[n]) || line.p[n] == '.');
}

/* Reply-line = 3DIGIT ( SP / "-" ) [ enhanced-status-code SP ] text   (RFC 5321 4.2, RFC 2034 4) */
static bool is_answer(struct tf_text line, const char *code)
{
    enum { REPLY = 3, SEPARATED = 4 };
    if (line.n < SEPARATED || (line.p[REPLY] != ' ' && line.p[REPLY] != '-'))
        return false;
    struct tf_text enhanced = {line.p + SEPARATED, line.n - SEPARATED};
    if (code[1] != '.') /* it begins with the reply code */
        return memcmp(line.p, code, REPLY) == 0 && begins_with(enhanced, code + SEPARATED);
    return line.p[0] == code[0] && begins_with(enhanced, code);
}

static bool has_words(struct tf_text line, const char *words)
{
    while (line.n > 0 && !tf_text_begins(line, words))
        line = (struct tf_text){line.p + 1, line.n - 1};
    return line.n > 0;
}

const struct tf_mail_answer *tf_mail_answer_find(struct tf_text line)
{
    for (size_t i = 0; i < COUNT(answers); i++)
        if (is_answer(line, answers[i].code) && has_words(line, answers[i].words))
            return &answers[i];
    return NULL;
}

const char *tf_mail_prot(uint16_t version, bool server)
{
    static const struct {
        uint16_t version;
        const char *names[2]; /* of the client's side, of the server's */
    } prots[] = {
        {TF_SSL2, {"SP_PROT_SSL2_CLIENT", "SP_PROT_SSL2_SERVER"}},
        {TF_SSL3, {"SP_PROT_SSL3_CLIENT", "SP_PROT_SSL3_SERVER"}},
        {TF_TLS10, {"SP_PROT_TLS1_0_CLIENT", "SP_PROT_TLS1_0_SERVER"}},
        {TF_TLS11, {"SP_PROT_TLS1_1_CLIENT", "SP_PROT_TLS1_1_SERVER"}},
        {TF_TLS12, {"SP_PROT_TLS1_2_CLIENT", "SP_PROT_TLS1_2_SERVER"}},
        {TF_TLS13, {"SP_PROT_TLS1_3_CLIENT", "SP_PROT_TLS1_3_SERVER"}},
    };
    for (size_t i = 0; i < COUNT(prots); i++)
        if (prots[i].version == version)
            return prots[i].names[server];
    return "SP_PROT_NONE";
}
