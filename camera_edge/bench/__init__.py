"""Measures on this machine what the design promises: ratios from one run, printed, never asserted by a test.

Invariant: what is compared is measured interleaved, on the same file, single-threaded.
"""

from camera_edge.bench.figures import Figures
from camera_edge.bench.run import BenchOptions, run_bench

__all__ = ["BenchOptions", "Figures", "run_bench"]
