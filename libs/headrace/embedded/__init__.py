"""The real parts that the services stand on, started without Docker: Apache Kafka, Valkey and Ray."""
