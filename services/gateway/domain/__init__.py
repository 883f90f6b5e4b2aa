"""Decisions of the gateway: what a frame says, who is let in, what a client sees next."""
