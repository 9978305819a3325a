"""A user's own SAM is put through problems with known answers, and its conventions are named."""
