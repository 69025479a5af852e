"""Replications of a scenario under several policies: what to run, where, and how often."""
