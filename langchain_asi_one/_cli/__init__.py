"""From the options of a command to its output and exit status."""
