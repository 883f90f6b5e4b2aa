"""Documents of many formats brought to Markdown, each in a process of its own that may fail alone."""
