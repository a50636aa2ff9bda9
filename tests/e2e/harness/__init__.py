"""What the scenarios are told with: Python's standard library and nothing else.

story     declares a behaviour and runs it
gateway   the program under test: start, ports, records, stop
pki       a certificate authority for servers, made once a build directory
wire      hellos and records as bytes, for what no real peer would send
tls       a real TLS peer whose first flight can be laid out anew
origins   servers, honest and odd
clients   clients, raw and real
echoing   sessions that live while something is done to the gateway
mail      mail servers, honest and odd: SMTP, IMAP, POP3
mail_clients  mail clients, line by line and real
oauth     a token endpoint, and the files that a bridge needs
names     a DNS server that says what a story wants said
browser   a real browser, driven over the DevTools protocol (imported by name: from harness.browser)
person    a rule that shows a page to people, and their browser (imported by name)
network   a network of its own for clients
promtool  the program that checks what is for Prometheus
versions  the stories that every real client has to tell, blocked, tunnelled and upgraded
"""

from .clients import (
    CONNECT,
    SNI,
    WAYS,
    RawClient,
    certificate_in,
    curl,
    gnutls_cli,
    java_client,
    node_client,
    openssl_client,
    python_client,
    reach,
    run_client,
)
from .gateway import Gateway, clean_environment, inspected, program, wait_until
from .mail import (
    CLOSE,
    IMAP_HOST,
    MAIL_MESSAGE,
    PASSWORD,
    SILENT,
    SMTP_HOST,
    USER,
    ImapOrigin,
    Pop3Origin,
    SmtpOrigin,
    of_protocol,
)
from .mail_clients import (
    MAIL_PORTS,
    WAY,
    ImapClient,
    ImapTlsClient,
    MailClient,
    Pop3Client,
    Pop3TlsClient,
    SmtpClient,
    SmtpTlsClient,
    base64_of,
    curl_mail,
    forward,
    mail_gateway,
    mail_upgraded,
    openssl_starttls,
    swaks,
)
from .echoing import FLIGHT, HELLO, begin_session, echo, is_alive, is_refused_by
from .names import NameServer
from .network import ClientNetwork, has_ipv6, in_own_network
from .oauth import CLIENT_SECRET, TokenEndpoint, bridge, private_file, secrets_file, users_file
from .origins import BlackHole, HttpOrigin, OfficeOrigin, RawOrigin, TlsOrigin
from .pki import ca_file, first_certificate, leaf, make_root, make_signed, office, openssl, workplace
from .promtool import promtool
from .story import check, check_equal, check_in, run_stories, skip_unless, story
from .tls import TlsPeer, client_context
from .versions import check_minted, stories_of, upgrade_stories_of
from .wire import (
    SSL3,
    TLS10,
    TLS11,
    TLS12,
    TLS13,
    alert,
    change_cipher_spec,
    client_hello,
    hello_retry,
    longest_client_hello,
    one_record,
    pieces,
    records,
    records_of_one_byte,
    resplit,
    server_hello,
    sslv2_hello,
)
