"""What inference decides without any I/O: sampling, fingerprints, text out of tokens, probabilities."""
