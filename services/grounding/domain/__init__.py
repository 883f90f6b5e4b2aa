"""Pure decisions of grounding: where a document is cut, what a turn may cite, what it remembers."""
