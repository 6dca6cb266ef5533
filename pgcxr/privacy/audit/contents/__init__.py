"""An output file as the texts in it, whatever its kind: `reader` tells the kind, one module reads
each."""
