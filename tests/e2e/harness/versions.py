"""The same eight stories for each real client: TLS 1.0 to 1.3 by both ways in, to a server that would take them all."""

from .clients import WAYS
from .gateway import Gateway
from .origins import TlsOrigin
from .story import check, check_equal, check_in, story

NAME = "origin.floor.test"


def stories_of(client_name, client, refusal, allowed=("1.2", "1.3"), refused=("1.0", "1.1")):
    """`client(gateway, way, name, version)` is the client; `refusal` the words in which it tells of the alert."""

    def passes(way, version):
        with TlsOrigin() as origin, Gateway(origin) as gateway:
            result = client(gateway, way, NAME, version)
            check_in(f"page over TLSv{version}", result.output, "what the client printed")
            check_equal(origin.versions, [f"TLSv{version}"], "what the server agreed on")

    def is_refused(way, version):
        with TlsOrigin() as origin:
            with Gateway(origin) as gateway:
                result = client(gateway, way, NAME, version)
                check_in(refusal, result.output, "what the client printed")
                gateway.record(
                    {
                        "event.action": "tls-version-blocked",
                        "event.code": "client-below-floor",
                        "tlsfloor.max_version": version,
                        "destination.domain": NAME,
                    }
                )
            check(not origin.versions, "the server must not have seen the client")
            check_equal(origin.received(), b"", "what reached the server")

    def told(behaviour, way, version, verb):
        def tale():
            behaviour(way, version)

        tale.__name__ = f"{client_name}_with_TLS_{version}_by_{way}_{verb}"
        story(tale)

    for way in WAYS:
        for version in refused:
            told(is_refused, way, version, "is_refused_in_its_own_words")
        for version in allowed:
            told(passes, way, version, "gets_its_page")
