"""node as a client: at and above the floor it is not touched, below it says what happened."""

from harness import node_client, run_stories, stories_of

stories_of("node", node_client, refusal="ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
run_stories()
