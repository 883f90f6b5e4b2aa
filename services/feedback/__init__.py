"""Keeps what people say of answers and how each came about: from feedback and completed turns to a database."""
