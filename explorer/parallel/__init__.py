"""What is said of FLUX on the ten parallel chains: one reader per kind of chain, kept readings, consistent cuts."""
