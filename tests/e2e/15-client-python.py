"""python as a client: at and above the floor it is not touched, below it says what happened."""

from harness import python_client, run_stories, stories_of

stories_of("python", python_client, refusal="TLSV1_ALERT_PROTOCOL_VERSION")
run_stories()
