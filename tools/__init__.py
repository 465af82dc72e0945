"""Tools of those who develop a station: benchmarks, generated pages. Never installed; no package needs them."""
