"""What counts as feedback, what was said of which answers, and which answers are worth learning from."""
