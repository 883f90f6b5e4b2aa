"""What implements the store (SQLAlchemy), and what translates from the wire."""
