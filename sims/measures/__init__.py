"""One measure a file: `measure(at)` is one number of a run, taken on the way at every record.

A file sets `NEEDS_COORDINATES = False` where Gram space, which knows inner products only, can
measure it too. A measure is traceable: it runs inside compiled loops, over many runs at once. Where
x is not finite it returns whatever arithmetic makes of that; it neither raises nor loops for ever.
"""
