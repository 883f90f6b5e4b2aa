"""How a service runs: its settings, its pipelines, its life from start to drain."""
