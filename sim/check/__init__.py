"""Whether the figures of an experiment are as they should be: thresholds, baselines, and reports for CI services."""
