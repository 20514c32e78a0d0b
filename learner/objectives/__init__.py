"""What follows a click: how often, by item, and what that adds to a score."""

from __future__ import annotations
