"""Every real client with TLS 1.0 and 1.1, by both ways in: it gets its page from a server that takes nothing below 1.2,
trusts nobody but the gateway's CA, and finds the server's name in the certificate."""

from harness import (
    curl,
    gnutls_cli,
    java_client,
    node_client,
    openssl_client,
    python_client,
    run_stories,
    upgrade_stories_of,
)


def curl_with_certificates(*arguments, ca):
    return curl(*arguments, "--write-out", "%{certs}", ca=ca)


upgrade_stories_of("curl", curl_with_certificates)
upgrade_stories_of("openssl", openssl_client)
upgrade_stories_of("gnutls_cli", gnutls_cli)
upgrade_stories_of("node", node_client)
upgrade_stories_of("java", java_client)
upgrade_stories_of("python", python_client)
run_stories()
