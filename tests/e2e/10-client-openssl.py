"""openssl s_client as a client: at and above the floor it is not touched, below it says what happened."""

from harness import openssl_client, run_stories, stories_of

stories_of("openssl", openssl_client, refusal="tlsv1 alert protocol version")
run_stories()
