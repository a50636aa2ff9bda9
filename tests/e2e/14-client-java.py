"""java as a client: at and above the floor it is not touched, below it says what happened."""

from harness import java_client, run_stories, stories_of

stories_of("java", java_client, refusal="Received fatal alert: protocol_version")
run_stories()
