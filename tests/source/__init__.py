"""Tests of the sources of blocks, against the recorded daemon over real HTTP."""
