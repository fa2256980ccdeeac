"""Coursewire carries course catalogues to learning management systems and results back.

What authors of channels and host services need is here, under one name: ``import coursewire as cw``. The names
stand in ``__init__.pyi``, once; each loads on first use, so that ``import coursewire`` stays cheap.
"""

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds, seldom asked

        return version("coursewire")
    return _load(name)
