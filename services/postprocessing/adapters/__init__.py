"""What the service meets the world with."""
