"""Makes the files that `ChatTokenizer` reads, for sources that do not bring them: from a GGUF, or of plain bytes."""

import json
from pathlib import Path
from typing import Final, cast

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from headrace.messaging.errors import Fatal
from headrace.models.gguf_metadata import Value, read_metadata
from headrace.models.tokenizer import CONFIG, TEMPLATE, TOKENIZER

_CONTROL: Final = 3
_USER_DEFINED: Final = 4
CHATML: Final = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_QWEN2: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def write_from_gguf(gguf: Path, folder: Path) -> None:
    """Rebuild the tokenizer that the GGUF carries; a kind that is not known here is `Fatal`, never a guess."""
    metadata = read_metadata(gguf)
    if metadata.get("tokenizer.ggml.model") != "gpt2":
        raise Fatal(
            f"{gguf.name} has a tokenizer of kind {metadata.get('tokenizer.ggml.model')!r}, not byte-level BPE: "
            "take the model from its hub repository (`type: hf`), which brings tokenizer.json"
        )
    tokens = cast("list[str]", metadata["tokenizer.ggml.tokens"])
    merges = [tuple(merge.split(" ", 1)) for merge in cast("list[str]", metadata["tokenizer.ggml.merges"])]
    kinds = cast("list[int]", metadata["tokenizer.ggml.token_type"])
    tokenizer = Tokenizer(
        models.BPE({token: i for i, token in enumerate(tokens)}, cast("list[tuple[str, str]]", merges))
    )
    tokenizer.pre_tokenizer = _pre_tokenizer(str(metadata.get("tokenizer.ggml.pre", "")), gguf.name)
    tokenizer.decoder = decoders.ByteLevel()
    added = [(token, kind) for token, kind in zip(tokens, kinds, strict=True) if kind in {_CONTROL, _USER_DEFINED}]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token, kind in added if kind == _CONTROL])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token, kind in added if kind == _USER_DEFINED])
    special = {
        f"{name}_token": tokens[index] for name in ("bos", "eos", "unk") if (index := _id(metadata, name)) is not None
    }
    _write(folder, tokenizer, str(metadata.get("tokenizer.chat_template", "")), special)


def write_bytes_tokenizer(folder: Path) -> None:
    """One token per byte and ChatML: counts and round trips without any weights."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    _write(folder, tokenizer, CHATML, {"eos_token": "<|im_end|>"})


def _pre_tokenizer(name: str, file: str) -> pre_tokenizers.PreTokenizer:
    match name:
        case "smollm":
            return pre_tokenizers.Sequence(
                [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
            )
        case "qwen2":
            split = pre_tokenizers.Split(Regex(_QWEN2), "isolated")
            return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        case "gpt-2" | "default" | "":
            return pre_tokenizers.ByteLevel(add_prefix_space=False)
        case _:
            raise Fatal(
                f"{file} splits words the way of {name!r}, which is not known here: "
                "take the model from its hub repository (`type: hf`), which brings tokenizer.json"
            )


def _id(metadata: dict[str, Value], name: str) -> int | None:
    index = metadata.get(f"tokenizer.ggml.{'unknown' if name == 'unk' else name}_token_id")
    return index if isinstance(index, int) else None


def _write(folder: Path, tokenizer: Tokenizer, template: str, special: dict[str, str]) -> None:
    tokenizer.save(str(folder / TOKENIZER))
    (folder / TEMPLATE).write_text(template, encoding="utf-8")
    (folder / CONFIG).write_text(json.dumps(special, indent=2), encoding="utf-8")
