"""Whether what is claimed, what is exactly true and what happens agree."""
