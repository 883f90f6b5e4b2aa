"""One module a kind of request; what they share stands in `preparing`."""
