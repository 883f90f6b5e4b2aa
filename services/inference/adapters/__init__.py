"""What implements inference's ports: engines, Ray, Redis, the stream of deltas."""
