"""Everything that is random, drawn before any policy runs: streams of numbers, arrivals, durations and faults."""
