"""Tests against real services; `pytest -o addopts= tests/live` runs them, a plain `pytest` does not."""
