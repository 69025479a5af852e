"""Records of real systems: reading them from files, and checking that a scenario can use them."""
