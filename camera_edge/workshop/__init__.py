"""What those who write modules work with: scaffolds, builds, replays, golden tests, figures.

Invariant: a module runs here as it would in front of a camera, in the same sandbox, with all that its manifest asks
for; what it answers to the same views is the same text every time.
"""
