"""The embedder against the same weights in plain transformers."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from tokenizers import Tokenizer

from headrace.messaging.errors import Fatal
from headrace.models.embedder import Embedder
from headrace.models.fetch import prepare
from headrace.models.registry import load_registry
from headrace.runtime.paths import infra_dir

pytestmark = pytest.mark.integration

TEXTS = [
    "What is a dead letter?",
    "hi",
    "Offsets are committed only when the effects are acknowledged, contiguous and gap-safe. " * 30,
    "Ünïcode 漢字 🙂 lane",
    "",
]


@pytest.fixture(scope="module")
def model_dir() -> Path:
    return prepare(load_registry(infra_dir() / "models").get("all-minilm-l6-v2"))


@pytest.fixture(scope="module")
def kept_as_onnx() -> Path:
    return prepare(load_registry(infra_dir() / "models").get("bge-small-en-v1.5"))


@pytest.fixture(scope="module")
def embedder(model_dir: Path) -> Embedder:
    return Embedder.load(model_dir)


@pytest.mark.slow
def test_vectors_equal_those_of_the_reference(embedder: Embedder, model_dir: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModel.from_pretrained(model_dir).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_dir)

    def reference(text: str) -> Any:
        batch = tokenizer([text], truncation=True, max_length=256, padding=False, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state[0]
        pooled = hidden.mean(dim=0)
        return (pooled / pooled.norm()).numpy()

    # Together and so padded here, one by one and so unpadded there.
    ours = embedder.embed(TEXTS)
    cosines = [float(vector @ reference(text)) for vector, text in zip(ours, TEXTS, strict=True)]
    assert min(cosines) > 0.9999


@pytest.mark.slow
def test_an_mpnet_encoder_is_drawn_as_the_reference_draws_it(tmp_path: Path, model_dir: Path) -> None:
    """Of chance weights: what matters is where they go. The long text reaches distances that share a bucket."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.MPNetConfig(
        vocab_size=30_527, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96,
        initializer_range=0.4,
    )  # fmt: skip
    model = transformers.MPNetModel(config).eval()
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(model_dir / name, tmp_path / name)
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 384}', "utf-8")
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_dir)

    def reference(text: str) -> Any:
        batch = tokenizer([text], truncation=True, max_length=384, return_tensors="pt")
        with torch.inference_mode():
            pooled = model(input_ids=batch["input_ids"]).last_hidden_state[0].mean(dim=0)
        return (pooled / pooled.norm()).numpy()

    ours = Embedder.load(tmp_path).embed(TEXTS)
    cosines = [float(vector @ reference(text)) for vector, text in zip(ours, TEXTS, strict=True)]
    assert min(cosines) > 0.9999


def test_an_encoder_kept_as_onnx_gives_the_vectors_of_its_first_token(kept_as_onnx: Path) -> None:
    """Against the file itself, a text at a time, its segments given by hand."""
    tokenizer = Tokenizer.from_file(str(kept_as_onnx / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(512)
    as_it_is = ov.Core().compile_model(kept_as_onnx / "model.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def reference(text: str) -> Any:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        read = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        first = as_it_is(read)["last_hidden_state"][0, 0]
        return first / np.linalg.norm(first)

    ours = Embedder.load(kept_as_onnx)
    assert ours.max_tokens == 512
    cosines = [float(vector @ reference(text)) for vector, text in zip(ours.embed(TEXTS), TEXTS, strict=True)]
    assert min(cosines) > 0.9999
    quick = Embedder.load(kept_as_onnx, dtype="bfloat16").embed(TEXTS)
    assert float((ours.embed(TEXTS) * quick).sum(axis=1).min()) > 0.999


def test_an_encoder_that_pools_by_its_first_token_is_drawn_so(tmp_path: Path, model_dir: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    shutil.copytree(model_dir, tmp_path / "model")
    (tmp_path / "model" / "pooling.json").unlink()
    (tmp_path / "model" / "1_Pooling").mkdir()
    modes = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (tmp_path / "model" / "1_Pooling" / "config.json").write_text(json.dumps(modes), "utf-8")
    batch = transformers.AutoTokenizer.from_pretrained(model_dir)([TEXTS[0]], return_tensors="pt")
    with torch.inference_mode():
        first = transformers.AutoModel.from_pretrained(model_dir).eval()(**batch).last_hidden_state[0, 0].numpy()
    (ours,) = Embedder.load(tmp_path / "model").embed([TEXTS[0]])
    assert float(ours @ first / np.linalg.norm(first)) > 0.9999


@pytest.mark.parametrize("modes", [{"pooling_mode_max_tokens": True}, {"pooling_mode_mean_tokens": False}])
def test_a_pooling_that_is_not_drawn_is_refused(tmp_path: Path, model_dir: Path, modes: dict[str, bool]) -> None:
    shutil.copytree(model_dir, tmp_path / "model")
    (tmp_path / "model" / "pooling.json").write_text(json.dumps(modes), "utf-8")
    with pytest.raises(Fatal, match="pools by"):
        Embedder.load(tmp_path / "model")


def test_an_onnx_file_that_is_no_sentence_encoder_is_refused(tmp_path: Path, kept_as_onnx: Path) -> None:
    for path in kept_as_onnx.iterdir():
        if path.name != "model.onnx":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "model.onnx").write_bytes(b"half a file")
    with pytest.raises(Fatal, match="no sentence encoder"):
        Embedder.load(tmp_path)


def test_rows_are_unit_vectors_in_the_order_of_the_texts(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS * 9)
    assert together.shape == (len(TEXTS) * 9, embedder.dimensions)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(together, np.tile(alone, (9, 1)), atol=1e-4)


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_tokens_are_counted_beyond_what_is_read(embedder: Embedder) -> None:
    assert embedder.count("word " * 1000) == 1000
    assert embedder.count("") == 0
    assert embedder.max_tokens == 256


def test_threads_take_turns(embedder: Embedder) -> None:
    expected = [embedder.embed([text]) for text in TEXTS]
    with ThreadPoolExecutor(8) as pool:
        for got, want in zip(pool.map(lambda text: embedder.embed([text]), TEXTS * 8), expected * 8, strict=True):
            np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_folder_that_lacks_a_file_says_which(tmp_path: Path, model_dir: Path, name: str) -> None:
    for path in model_dir.iterdir():
        if path.is_file() and path.name != name:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(Fatal, match=name):
        Embedder.load(tmp_path)


def test_another_kind_of_encoder_is_refused_and_never_drawn_wrong(tmp_path: Path, model_dir: Path) -> None:
    shutil.copytree(model_dir, tmp_path / "model")
    config = json.loads((model_dir / "config.json").read_text("utf-8"))
    (tmp_path / "model" / "config.json").write_text(json.dumps({**config, "model_type": "roberta"}), "utf-8")
    with pytest.raises(Fatal, match="roberta"):
        Embedder.load(tmp_path / "model")
