"""Pictures of an outcome, one file each. Each function draws on Matplotlib axes and returns them."""
