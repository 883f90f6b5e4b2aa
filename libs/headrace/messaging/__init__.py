"""Delivery over Kafka: concurrent between keys, ordered within one, committed only after the effects are acknowledged."""
