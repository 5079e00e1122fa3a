"""From a request to JSON objects, or an `ASIOneError`: all the I/O."""
