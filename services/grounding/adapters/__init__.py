"""What grounding's ports are made of: Qdrant, OpenVINO, markdown-it, tokenizers, jinja2."""
