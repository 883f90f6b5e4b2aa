"""What `headrace ingest` does. A package of its own, so that other commands do not import the broker's client."""
