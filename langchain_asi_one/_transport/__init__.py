"""From a request to the JSON objects of its answer, or an `ASIOneError`: all the I/O."""
