"""Holds what the pipeline says of recordings against what people know of them, suite by suite.

Invariant: what is measured is the worker's own pipeline (`worker.recordings.RecordingRun`), in this process, never a
copy of it; a native baseline runs in the same call, over the same frames.
"""
