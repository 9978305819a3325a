"""The page."""

from __future__ import annotations


def render(rows):
    return "<html></html>"
