"""From an answer to whether it is still to come, and what to ask next: no I/O."""
