"""Card applications. Each imports the kernel; none imports another."""
