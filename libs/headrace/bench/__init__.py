"""Measures a stack from outside, as its users and its operator meet it; the figures of the README come from here."""
