"""One optimizer a file; the file's name is its key and, letter case apart, its class's name."""
