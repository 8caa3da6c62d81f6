"""Settings of a training varied on purpose: sweeps over one, searches over several."""
