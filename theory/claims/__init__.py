"""One theorem a file; the file's name is its key. Each file begins with the fact and its argument."""
