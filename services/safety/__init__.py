"""Judges what goes in (turns before their model) and what comes out (generated deltas to cleared, then the whole)."""
