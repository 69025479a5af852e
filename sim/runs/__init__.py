"""What a run is given and what it gives back: settings, random inputs and the record, in whole nanoseconds.

Both implementations of the rules, `sim.model` and `sim.engine`, take these values and return these records.
"""
