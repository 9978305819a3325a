"""Finds what the checker replays. As clever and as untrusted as it likes: only a replay counts."""
