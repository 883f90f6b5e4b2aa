"""What is shown of an answer, and what it is called: pure decisions."""
