"""Keeping what is said, and reading it again: as a report, and as examples to train on."""
