"""JSON and text that can be stored and shown: no I/O."""
