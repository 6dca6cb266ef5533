"""`curate` with its options as keywords."""

from pgcxr.curation import run
from pgcxr.curation.options import CurationOptions

OF_THE_CALL = ("limits", "show_progress", "say")


def curate(export, out, **options):
    call = {name: options.pop(name) for name in OF_THE_CALL if name in options}
    return run.curate(export, out, CurationOptions.from_dict(options), **call)
