"""What a turn did and how long it took: spans, logs and metrics, with the words of users kept out."""
