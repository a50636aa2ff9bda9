/* The files of proxy/web/. */
#include "web.h"

#include "embed.h"

EMBED(web_page, "proxy/web/index.html");
EMBED(web_style, "proxy/web/style.css");
EMBED(web_icon, "proxy/web/icon.svg");
EMBED(web_theme, "proxy/web/theme.js");
EMBED(web_app, "proxy/web/app.js");
EMBED(web_api, "proxy/web/api.js");
EMBED(web_chart, "proxy/web/chart.js");
EMBED(web_clients, "proxy/web/clients.js");
EMBED(web_dom, "proxy/web/dom.js");
EMBED(web_gateway, "proxy/web/gateway.js");
EMBED(web_live, "proxy/web/live.js");

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
