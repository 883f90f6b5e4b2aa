"""Public texts that safety is measured on: pinned, fetched when they are asked for, never trained on."""
