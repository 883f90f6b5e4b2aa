"""The command line: a module per command, each with `register`."""
