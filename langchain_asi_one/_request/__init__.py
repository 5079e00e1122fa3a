"""From a call of LangChain to the JSON body and session of a request: no I/O."""
