"""From JSON off the wire to values that any checkpointer can store: no I/O."""
