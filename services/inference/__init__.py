"""Answers prompts and scores labels with a model: from `turns.inference` onwards, streaming on `deltas.generated`."""
