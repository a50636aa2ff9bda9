/* The files of proxy/web/, put into the program by the assembler as those of
 * conf/m365/ are (endpoints_builtin.c). */
#include "web.h"

/* Defines web_NAME, the bytes of a file, and web_NAME_size, their number. */
#define EMBED(name, file)                                                                                    \
    __asm__(".pushsection .rodata\n"                                                                         \
            "web_" #name ":\n"                                                                               \
            ".incbin \"proxy/web/" file "\"\n"                                                               \
            "web_" #name "_end:\n"                                                                           \
            ".balign 4\n"                                                                                    \
            "web_" #name "_size: .long web_" #name "_end - web_" #name "\n"                                  \
            ".globl web_" #name ", web_" #name "_size\n"                                                     \
            ".hidden web_" #name ", web_" #name "_size\n"                                                    \
            ".popsection\n");                                                                                \
    extern const char web_##name[] __attribute__((visibility("hidden")));                                    \
    extern const uint32_t web_##name##_size __attribute__((visibility("hidden")))

EMBED(page, "index.html");
EMBED(style, "style.css");
EMBED(icon, "icon.svg");
EMBED(theme, "theme.js");
EMBED(app, "app.js");
EMBED(api, "api.js");
EMBED(chart, "chart.js");
EMBED(clients, "clients.js");
EMBED(dom, "dom.js");
EMBED(gateway, "gateway.js");
EMBED(live, "live.js");

#define SCRIPT "text/javascript; charset=utf-8"

static const struct {
    const char *path, *type, *content;
    const uint32_t *size;
} files[] = {
    {"/", "text/html; charset=utf-8", web_page, &web_page_size},
    {"/style.css", "text/css; charset=utf-8", web_style, &web_style_size},
    {"/icon.svg", "image/svg+xml", web_icon, &web_icon_size},
    {"/theme.js", SCRIPT, web_theme, &web_theme_size},
    {"/app.js", SCRIPT, web_app, &web_app_size},
    {"/api.js", SCRIPT, web_api, &web_api_size},
    {"/chart.js", SCRIPT, web_chart, &web_chart_size},
    {"/clients.js", SCRIPT, web_clients, &web_clients_size},
    {"/dom.js", SCRIPT, web_dom, &web_dom_size},
    {"/gateway.js", SCRIPT, web_gateway, &web_gateway_size},
    {"/live.js", SCRIPT, web_live, &web_live_size},
};

bool web_find(struct tf_text path, struct web_file *file)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (tf_text_is(path, files[i].path)) {
            *file = (struct web_file){files[i].type, {files[i].content, *files[i].size}};
            return true;
        }
    return false;
}
