"""Pictures of a result, one file each. Each function draws on Matplotlib axes and returns them."""
