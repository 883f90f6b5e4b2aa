"""Prompt templates: what a model is told, by name and version."""
