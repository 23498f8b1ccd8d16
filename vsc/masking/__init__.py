"""What of a command may be seen. Below readers, whose exchanges show themselves masked, and all that keeps logs."""
