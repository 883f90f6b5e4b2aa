"""Results of a file's rows: kept as they come, written in the order of the file."""
