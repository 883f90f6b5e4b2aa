"""Makes a turn ready for its model: from prompts and reviews to turns with a checked, normalised, budgeted question."""
