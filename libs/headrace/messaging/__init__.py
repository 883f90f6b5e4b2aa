"""Delivery over Kafka: concurrent between keys, ordered within one, committed after the effects are acknowledged."""
