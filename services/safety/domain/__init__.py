"""What is allowed in and out: pure decisions over text."""
