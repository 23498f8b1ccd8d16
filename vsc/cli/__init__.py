"""The command line: each command parses, calls the API, prints. Data on stdout, talk on stderr."""
