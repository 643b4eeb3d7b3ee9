"""Measures what the analyzers find on recordings whose truth is known, with the pipeline that cameras run."""
