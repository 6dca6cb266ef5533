"""Progressive GANs on chest radiographs, from DICOM export to read images.

The names below are what a notebook needs; each is imported when it is asked for, so that
`import pgcxr` itself needs neither TensorFlow nor pydicom.

Example:

    >>> import pgcxr
    >>> pgcxr.latents(seed=1, n=8, size=512).shape
    (8, 512)
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# {name here: where it is}
_NAMES = {
    "CurationOptions": "pgcxr.curation.options:CurationOptions",
    "Discriminator": "pgcxr.networks:Discriminator",
    "GanConfig": "pgcxr.gan.config:GanConfig",
    "Generator": "pgcxr.networks:Generator",
    "InputError": "pgcxr.errors:InputError",
    "Inverter": "pgcxr.latent.inversion:Inverter",
    "PhantomOptions": "pgcxr.phantom.options:PhantomOptions",
    "Rejected": "pgcxr.dicom:Rejected",
    "curate": "pgcxr.curation.run:curate",
    "decode": "pgcxr.dicom:decode",
    "fit_axes": "pgcxr.latent.axes:fit_axes",
    "generate": "pgcxr.sampling.generation:generate",
    "latents": "pgcxr.sampling.generation:latents",
    "load_cohort": "pgcxr.cohort.manifest:load",
    "load_generator": "pgcxr.sampling.generation:load_generator",
    "load_pickle": "pgcxr.networks.original_weights:load_pickle",
    "pretrained": "pgcxr.sampling.runs:pretrained_run",
    "walk": "pgcxr.latent.walks:walk",
    "write_phantom": "pgcxr.phantom.export:write_export",
}
__all__ = ["__version__", *_NAMES]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _NAMES[name].partition(":")
    globals()[name] = getattr(importlib.import_module(module), attribute)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
