"""Records of real systems, brought into the form of `sim.traces.events`: a file for each system."""
