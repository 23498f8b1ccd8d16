"""Text and files that others wrote: read no further than anybody needs, and shown so that a terminal stays as it is."""
