"""Spreads of MiniLM's activations over fixed texts: `python -m services.features.calibration`.

The texts are shipped and simulated, and no study's texts are among them, so two
studies' vectors can be compared. What they gave is shipped as well, because a
range measured anew on another processor would differ in its last digits.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save_file

from services.features.minilm_files import ATTENTION_HEADS, load_tokenizer, model_folder, verified_weights
from services.features.quantisation import Floats, Spread, spreads_to_arrays

TEXTS = Path(__file__).with_name("calibration_texts.txt")
SPREADS = Path(__file__).with_name("minilm_spreads.safetensors")
LONGEST = 256


def calibration_texts() -> list[str]:
    """Return the shipped texts: simulated, of every genre the simulator knows, short and long."""
    return TEXTS.read_text(encoding="utf-8").splitlines()


def measured_spreads(weights: Mapping[str, Floats], tokens: Sequence[Sequence[int]]) -> dict[str, Spread]:
    """Return the extremes of every input of a linear map over some tokenised texts."""
    from services.features.bert_graph import Embedder, observed_graph
    from services.features.openvino_runtime import ov

    model, names = observed_graph(weights, ATTENTION_HEADS)
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
    request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()
    embedder = Embedder(weights)
    seen: dict[str, list[Spread]] = {name: [] for name in names}
    for ids in tokens:
        found = request.infer([embedder(np.array([ids])), np.ones((1, len(ids)), np.float32)])
        for j, name in enumerate(names, start=1):
            seen[name].append(Spread(found[j][0].min(axis=0), found[j][0].max(axis=0)))
    return {name: _widest(spreads) for name, spreads in seen.items()}


def main() -> None:
    """Measure the shipped texts and write what is shipped beside them."""
    folder = model_folder()
    tokenizer = load_tokenizer(folder, LONGEST)
    tokens = [encoding.ids for encoding in tokenizer.encode_batch(calibration_texts())]
    save_file(spreads_to_arrays(measured_spreads(load(verified_weights(folder)), tokens)), SPREADS)


def _widest(spreads: Sequence[Spread]) -> Spread:
    return Spread(
        np.min([spread.smallest for spread in spreads], axis=0),
        np.max([spread.largest for spread in spreads], axis=0),
    )


if __name__ == "__main__":
    main()
