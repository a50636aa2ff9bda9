"""What the gateway is for: curl through the shipped configuration, with a modern and with an old TLS."""

from harness import Gateway, TlsOrigin, check, check_equal, check_in, curl, run_stories, story

NAME = "origin.floor.test"


def shipped_gateway(origin):
    """conf/tlsfloor.ini as it is; the environment picks free ports and says that the origin is on loopback."""
    return Gateway(
        file="conf/tlsfloor.ini",
        environment={
            "TLSFLOOR_LISTENER_PROXY_LISTEN": "127.0.0.1:0",
            "TLSFLOOR_ADMIN_LISTEN": "127.0.0.1:0",
            "TLSFLOOR_ACCESS_DESTINATION": "loopback",
            "TLSFLOOR_UPSTREAM_RESOLVE": f"{NAME}:443:127.0.0.1:{origin.port}",
        },
    )


@story
def curl_with_TLS_1_3_gets_the_page():
    with TlsOrigin() as origin, shipped_gateway(origin) as gateway:
        result = curl(gateway, "connect", NAME, "1.3")
        check_equal((result.status, result.output), (0, "<title>page over TLSv1.3</title>\n"), "what curl says")


@story
def curl_with_TLS_1_0_names_the_alert_and_one_line_says_who_what_where_and_why():
    with TlsOrigin() as origin:
        with shipped_gateway(origin) as gateway:
            result = curl(gateway, "connect", NAME, "1.0")
            check_equal(result.status, 35, "curl's exit status")
            check_in("tlsv1 alert protocol version", result.output, "what curl says")
            record = gateway.record(
                {
                    "event.action": "tls-version-blocked",
                    "event.code": "client-below-floor",
                    "source.ip": "127.0.0.1",
                    "observer.ingress.interface.name": "proxy",
                    "destination.domain": NAME,
                    "destination.port": 443,
                    "tls.client.server_name": NAME,
                    "tlsfloor.floor": "1.2",
                    "tlsfloor.verdict": "block",
                    "tlsfloor.max_version": "1.0",
                    "tlsfloor.offered_versions": ["1.0"],
                }
            )
            always = ("@timestamp", "event.reason", "source.port", "tls.client.ja3", "tlsfloor.ja4", "tlsfloor.fix")
            for field in always:
                check(record.get(field), f"{field} is missing from {record}")
            check_in("curl/", record["user_agent.original"], "user agent")
        check_equal(origin.received(), b"", "what reached the server")


run_stories()
