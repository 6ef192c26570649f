"""The numbers of docs/measurements.md, each reproducible by one command."""
