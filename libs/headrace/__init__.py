"""What the services of Headrace share: contracts, messaging, telemetry, stores, models and the command line."""
