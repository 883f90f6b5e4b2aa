"""What grounding does with a turn and with a document."""
