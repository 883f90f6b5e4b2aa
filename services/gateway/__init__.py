"""Lets clients in: admits or refuses, asks on `prompts`, streams replies from `responses.deltas` and `responses`."""
