"""Working dead letters: which ones, where they go, and getting them there once."""
