"""Bytes at rest: objects named by their content, and keys that say what they answer."""
