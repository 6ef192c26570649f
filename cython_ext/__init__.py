"""Compiled twins of pure Python: optional, chosen by the packages that own the pure ones."""
