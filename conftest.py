"""What holds for every run of pytest in this checkout."""

import pytest_randomly

# spaCy's thinc registers a seeder with pytest-randomly, and loading it imports torch: 8 s before the first test of any
# run. Nothing here draws from thinc's randomness; Python's and NumPy's are seeded as before.
pytest_randomly.entrypoint_reseeds = []
