"""A browser loads a page through the proxy, and the script that the page asks for."""

import shutil
import tempfile

from harness import Gateway, TlsOrigin, check, check_in, run_client, run_stories, story

NAME = "origin.floor.test"


def chromium(gateway, url):
    """The document as it is once its scripts have run. Certificates are not what this is about."""
    profile = tempfile.mkdtemp(prefix="tlsfloor-chromium-")
    try:
        return run_client(
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--ignore-certificate-errors",
            f"--user-data-dir={profile}",
            f"--proxy-server=http://127.0.0.1:{gateway.proxy}",
            "--proxy-bypass-list=<-loopback>",
            "--timeout=20000",
            "--dump-dom",
            url,
        )
    finally:
        shutil.rmtree(profile, ignore_errors=True)


@story
def chromium_loads_a_page_and_its_script_through_the_proxy():
    pages = {
        "/": b"<!doctype html><title>t</title><body><p id=said>nothing yet</p><script src=/said.js></script>",
        "/said.js": b"document.getElementById('said').textContent = 'said by ' + location.hostname;",
    }
    with TlsOrigin("1.2", "1.3", pages=pages) as origin:
        with Gateway(origin) as gateway:
            result = chromium(gateway, f"https://{NAME}/")
            check_in(f'<p id="said">said by {NAME}</p>', result.output, "the document")
        check(set(origin.versions) == {"TLSv1.3"}, f"versions of the sessions: {origin.versions}")


run_stories()
