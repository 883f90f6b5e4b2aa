"""A GGUF whose quantisation openvino-genai cannot read."""

import errno
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize, quantize

from headrace.messaging.errors import Fatal
from headrace.models.derived import made_once
from headrace.models.fetch import WEIGHTS_GGUF, prepare
from headrace.models.gguf_metadata import read_metadata, read_tensor_types
from headrace.models.registry import load_registry
from headrace.models.requantize import openvino_weights
from headrace.models.tokenizer import ChatTokenizer
from headrace.runtime.paths import infra_dir
from services.inference.adapters.engines.openvino import OpenVinoCore
from services.inference.adapters.engines.wire import Add, Tokens
from tests.fakes.real_engines import spec_for

pytestmark = pytest.mark.integration

Q = GGMLQuantizationType
# The step of Q8_0 is the largest weight of a block through 127; half of it is lost at most.
_LOST = 0.5 / 127


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A GGUF with a tensor of each kind that matters, and metadata of each shape."""
    rng = np.random.default_rng(1)
    writer = GGUFWriter(tmp_path / WEIGHTS_GGUF, "llama")
    writer.add_name("tiny")
    writer.add_block_count(1)
    writer.add_rope_freq_base(10_000.0)
    writer.add_token_list(["a", "b", "ü"])
    writer.add_token_types([1, 1, 3])
    writer.add_tensor("norm.weight", rng.normal(size=64).astype(np.float32))
    for name, kind in (("fifth", Q.Q5_0), ("fifth_k", Q.Q5_1), ("eighth", Q.Q8_0), ("brain", Q.BF16)):
        weights = rng.normal(size=(3, 64)).astype(np.float32)
        writer.add_tensor(f"{name}.weight", quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tmp_path


def test_what_openvino_cannot_read_is_written_as_eight_bits_and_the_rest_stays_as_it_is(tiny: Path) -> None:
    made = openvino_weights(tiny)
    assert made == tiny / "openvino" / WEIGHTS_GGUF
    assert read_tensor_types(tiny / WEIGHTS_GGUF) == {Q.F32, Q.Q5_0, Q.Q5_1, Q.Q8_0, Q.BF16}
    assert read_tensor_types(made) == {Q.F32, Q.Q8_0, Q.F16}
    assert read_metadata(made) == read_metadata(tiny / WEIGHTS_GGUF)
    before = {tensor.name: tensor for tensor in GGUFReader(tiny / WEIGHTS_GGUF).tensors}
    after = {tensor.name: tensor for tensor in GGUFReader(made).tensors}
    assert list(after) == list(before)
    for name, tensor in after.items():
        old = dequantize(before[name].data, before[name].tensor_type)
        new = dequantize(tensor.data, tensor.tensor_type)
        assert new.shape == old.shape
        np.testing.assert_allclose(new, old, atol=np.abs(old).max() * _LOST * 1.01)
    assert after["eighth.weight"].data.tobytes() == before["eighth.weight"].data.tobytes()


def test_it_is_written_once(tiny: Path) -> None:
    made = openvino_weights(tiny)
    first = made.stat().st_mtime_ns
    assert openvino_weights(tiny).stat().st_mtime_ns == first
    assert {path.name for path in tiny.iterdir()} == {WEIGHTS_GGUF, "openvino", "openvino.lock"}


def test_a_start_that_was_cut_off_leaves_nothing_half_written(tiny: Path) -> None:
    half = tiny / "openvino.partial"
    half.mkdir()
    (half / WEIGHTS_GGUF).write_bytes(b"GGUF")
    assert read_tensor_types(openvino_weights(tiny)) == {Q.F32, Q.Q8_0, Q.F16}
    assert not half.exists()


def test_a_full_disk_is_named_with_what_to_do_and_nothing_of_the_half_stays_on_it(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / WEIGHTS_GGUF).write_bytes(b"GGUF")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Fatal, match=r"No space left on device.*HEADRACE_CACHE_DIR"):
        made_once(tmp_path, "openvino", fill)
    assert [path.name for path in tmp_path.iterdir()] == ["openvino.lock"]


def test_a_header_that_ends_within_its_tensors_is_named(tiny: Path) -> None:
    weights = tiny / WEIGHTS_GGUF
    whole = weights.read_bytes()
    weights.write_bytes(whole[: whole.index(b"brain.weight") + 4])
    with pytest.raises(Fatal, match="damaged: fetch it again"):
        openvino_weights(tiny)


@pytest.mark.slow
def test_a_model_in_another_quantisation_answers_on_openvino(tmp_path: Path) -> None:
    spec = spec_for("openvino")
    folder = prepare(load_registry(infra_dir() / "models").get(spec.name))
    assert openvino_weights(folder) == folder / WEIGHTS_GGUF, "it reads this one as it is"
    reader = GGUFReader(folder / WEIGHTS_GGUF)
    writer = GGUFWriter(tmp_path / WEIGHTS_GGUF, "llama")
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        data, kind = tensor.data, tensor.tensor_type
        # Not all: so small a model is another one when every weight has moved a little.
        if "attn" in tensor.name and kind == Q.Q4_1:
            data, kind = quantize(dequantize(data, kind), Q.Q5_1), Q.Q5_1
        writer.add_tensor(tensor.name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    tokenizer = ChatTokenizer.load(folder)
    core = OpenVinoCore(spec, tmp_path, eos_id=tokenizer.eos_id, threads=2)
    prompt = tokenizer.encode(tokenizer.render([("user", "What is the capital of France?")]))
    core.add(Add("paris", prompt, max_tokens=24, temperature=0.0, top_p=1.0, seed=1, repetition_penalty=1.1))
    said: list[int] = []
    while core.busy:
        said += [id_ for event in core.step() if isinstance(event, Tokens) for id_ in event.ids]
    core.close()
    assert "Paris" in tokenizer.decode(said)
