"""Whether an answer is still to come, and what follows: no I/O."""
