"""OpenAI's shapes: its requests read, our answers written."""
