"""What implements the ports: Kafka, Redis, the span store, the model registry."""
