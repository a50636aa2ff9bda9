"""The same stories for each real client. Eight to a server that would take TLS 1.0 to 1.3, by both ways in: which pass,
and which are refused. And four to Microsoft 365, which are upgraded."""

from .clients import WAYS, certificate_in
from .gateway import Gateway
from .origins import OfficeOrigin, TlsOrigin
from .story import check, check_equal, check_in, story

NAME = "origin.floor.test"


def _tell(behaviour, client_name, way, version, verb):
    def tale():
        behaviour(way, version)

    tale.__name__ = f"{client_name}_with_TLS_{version}_by_{way}_{verb}"
    story(tale)


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

    for way in WAYS:
        for version in refused:
            _tell(is_refused, client_name, way, version, "is_refused_in_its_own_words")
        for version in allowed:
            _tell(passes, client_name, way, version, "gets_its_page")


def check_minted(output, name):
    """The client printed a certificate that the gateway made for the name."""
    seen = certificate_in(output)
    check_in("CN=tlsfloor CA", seen, "issuer of the certificate that the client saw")
    check_in(f"DNS:{name}\n", seen, "names in the certificate that the client saw")


def upgrade_stories_of(client_name, client):
    """`client(gateway, way, name, version, ca)` trusts nobody but the gateway's CA, and prints the certificate that it
    sees."""

    def is_upgraded(way, version):
        with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
            result = client(gateway, way, origin.name, version, ca=gateway.ca)
            check_in("page over TLSv1.3", result.output, "what the client printed")
            check_minted(result.output, origin.name)
            check_equal(origin.versions, ["TLSv1.3"], "what the server agreed on")
            gateway.record(
                {
                    "event.action": "tls-upgraded",
                    "destination.domain": origin.name,
                    "tls.version": version,
                    "tlsfloor.upgrade.from": version,
                    "tlsfloor.upgrade.to": "1.3",
                }
            )

    for way in WAYS:
        for version in ("1.0", "1.1"):
            _tell(is_upgraded, client_name, way, version, "is_upgraded")
