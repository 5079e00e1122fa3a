"""Structured output: from a model's answer to data of a schema."""
