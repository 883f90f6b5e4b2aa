"""Makes the context of an answer: from turns.grounding to the slip's next stage, and from knowledge to the index."""
