"""gnutls-cli as a client: at and above the floor it is not touched, below it says what happened."""

from harness import gnutls_cli, run_stories, stories_of

stories_of("gnutls_cli", gnutls_cli, refusal="Received alert [70]: Error in protocol version")
run_stories()
