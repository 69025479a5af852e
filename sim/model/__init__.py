"""The platform in time. Where `make compiled` has made machine code of these files, that is what runs."""

from sim.compiled import instead_of

__path__[:0] = instead_of(__name__, __path__[0])
