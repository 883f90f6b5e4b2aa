"""Where weights come from: a module per kind of source, each `fetch(source, into)`."""
