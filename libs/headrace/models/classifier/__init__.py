"""Text classifiers of our own: a linear head over a sentence vector and word n-grams, trained in seconds."""
