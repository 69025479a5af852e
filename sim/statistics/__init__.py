"""Figures from records: metrics, estimates from cut-off waits, intervals and warm-up."""
