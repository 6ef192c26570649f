"""Tests of the sample chain."""
