"""Models: which there are, where their weights come from, and how a chat becomes tokens."""
