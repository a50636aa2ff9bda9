/* The page for a person as a whole: whether the rules that have one can show
 * it, and whether its texts are fit for it. */
#include "conf_table.h"
#include "person_page.h"
#include "way.h"

#include <string.h>

static bool has_page(const struct tf_section *section)
{
    return section->info->object == TF_OBJECT_RULE && ((const struct tf_rule *)section->object)->page;
}

/* A page takes a certificate for its destination, and a session that is blocked for its version alone. */
static void check_rule(struct tf_conf_load *load, const struct tf_section *section)
{
    const struct tf_rule *rule = section->object;
    const struct tf_origin *at = &section->settings[TF_KEY_RULE_page].origin;
    if (!load->conf->policy.can_upgrade && tf_way_needs_ca(load->conf->listeners, rule))
        tf_report(load, TF_ERROR, at,
                  TF_PARTS(TF_SECTION_PARTS(section), " page = on needs a CA, and [ca] directory is off; ",
                           "write a directory there, or page = off here"));
    switch (rule->action) {
    case TF_ACTION_TUNNEL:
    case TF_ACTION_BLOCK:
        break;
    case TF_ACTION_UPGRADE:
        tf_report(load, TF_WARNING, at,
                  TF_PARTS(TF_SECTION_PARTS(section),
                           " page = on shows nobody a page where action = upgrade: what cannot be upgraded ",
                           "cannot be shown one; take page out, or write action = tunnel or block"));
        break;
    case TF_ACTION_MONITOR:
        tf_report(
            load, TF_WARNING, at,
            TF_PARTS(TF_SECTION_PARTS(section),
                     " page = on shows nobody a page where action = monitor, which blocks nobody; take ",
                     "page out, or write action = tunnel or block"));
        break;
    }
}

static void check_length(struct tf_conf_load *load, const struct tf_section *section, size_t key,
                         const char *text, size_t max)
{
    char bytes[24];
    struct tf_writer w = tf_writer_of(bytes, sizeof bytes - 1);
    if (strlen(text) <= max)
        return;
    tf_put_u64(&w, max);
    bytes[w.len] = '\0';
    tf_report(load, TF_ERROR, &section->settings[key].origin,
              TF_PARTS(TF_SECTION_PARTS(section), " ", section->info->keys[key].name, " is longer than ",
                       bytes, " bytes; write it shorter, and put the rest behind the link"));
}

/* A link that runs a script, or leads to a file, is none that somebody meant. */
static void check_link(struct tf_conf_load *load, const struct tf_section *section, const char *link)
{
    struct tf_text text = tf_text_of(link);
    struct tf_quote quote;
    if (text.n == 0 || tf_text_begins(text, "https://") || tf_text_begins(text, "http://") ||
        tf_text_begins(text, "mailto:"))
        return;
    tf_report(load, TF_ERROR, &section->settings[TF_KEY_PAGE_link].origin,
              TF_PARTS(TF_SECTION_PARTS(section), " link = ", tf_quote_text(&quote, text),
                       " is no address that a browser can open; write https://..."));
}

void tf_check_page(struct tf_conf_load *load)
{
    const struct tf_section *section = tf_section_plain(load->conf, TF_SECTION_PAGE);
    const struct tf_page *page = &load->conf->policy.page;
    bool any = false;
    for (const struct tf_section *s = load->conf->sections; s; s = s->next) {
        if (!has_page(s))
            continue;
        any = true;
        check_rule(load, s);
    }
    check_length(load, section, TF_KEY_PAGE_text, page->text, TF_PAGE_TEXT_MAX);
    check_length(load, section, TF_KEY_PAGE_contact, page->contact, TF_PAGE_CONTACT_MAX);
    check_length(load, section, TF_KEY_PAGE_link, page->link, TF_PAGE_LINK_MAX);
    check_link(load, section, page->link);
    for (size_t key = 0; key < section->info->key_count && !any; key++)
        if (tf_is_written(section, key))
            tf_report(load, TF_WARNING, &section->settings[key].origin,
                      TF_PARTS(TF_SECTION_PARTS(section), " ", section->info->keys[key].name,
                               " is seen by nobody: no rule has page = on"));
}
