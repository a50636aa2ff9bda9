"""curl as a client: at and above the floor it is not touched, below it says what happened."""

from harness import curl, run_stories, stories_of

stories_of("curl", curl, refusal="tlsv1 alert protocol version")
run_stories()
