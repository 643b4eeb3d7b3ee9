"""How an analyzer is compiled from its source, in each language that has an SDK.

Invariant: the standard library alone, since the package's own build runs this before anything else is installed. The
same sources and the same compiler give the same bytes, in whatever folder they lie.
"""

from camera_edge.errors import BuildError
from camera_edge.toolchain.build import build, build_native, install, missing, sdk_folder
from camera_edge.toolchain.language import Language, language_of

__all__ = ["BuildError", "Language", "build", "build_native", "install", "language_of", "missing", "sdk_folder"]
