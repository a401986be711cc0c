"""Make the embedded field again: ``python data/make_synthetic_column.py`` writes ``data/synthetic_column.npz``."""

from pathlib import Path

from biornn_lite.synthetic import synthetic_field

if __name__ == "__main__":
    path = Path(__file__).parent / "synthetic_column.npz"
    field = synthetic_field(neurons=96, seed=0, with_precision=True)
    field.save(path)
    print(f"{path.name}: {field.neurons} neurons, {path.stat().st_size / 1e3:.0f} kB")
