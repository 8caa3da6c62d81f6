"""Draws the embedded sample, seeded, in the folder layouts of the real data sets: a run needs no download."""
