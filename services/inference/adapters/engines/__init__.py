"""Engines: a core that turns tokens into tokens in a process of its own, and the asynchronous face of it."""
