"""What implements the ports: py3langid, jinja2 over YAML, the registry with its tokenizers."""
