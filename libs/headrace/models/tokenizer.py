"""Tokens as the model counts them, without the model: `tokenizers` and the chat template, no torch."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from headrace.messaging.errors import Fatal, Invalid
from headrace.models.token_bytes import TokenBytes

TOKENIZER = "tokenizer.json"
TEMPLATE = "chat_template.jinja"
CONFIG = "tokenizer_config.json"


class ChatTokenizer:
    """The tokenizer and chat template of one model.

    Templates come with the weights, so they run in a sandbox: they can format, and nothing else.
    """

    def __init__(self, tokenizer: Tokenizer, template: str, special: dict[str, str]) -> None:
        self._tokenizer = tokenizer
        self._special = special
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        self._template = environment.from_string(template)

    @classmethod
    def load(cls, model_dir: Path) -> "ChatTokenizer":
        """Read what `prepare` left in the folder; `Fatal` where the model has no tokenizer or chat template."""
        try:
            tokenizer = Tokenizer.from_file(str(model_dir / TOKENIZER))
        except Exception as exc:  # tokenizers raises a bare Exception for a missing file and a broken one alike
            raise Fatal(f"no usable {TOKENIZER} in {model_dir}: run `headrace models pull` for this model") from exc
        config = json.loads(path.read_text("utf-8")) if (path := model_dir / CONFIG).is_file() else {}
        template = path.read_text("utf-8") if (path := model_dir / TEMPLATE).is_file() else config.get("chat_template")
        if not isinstance(template, str):
            raise Fatal(
                f"the model in {model_dir} has no chat template: only chat models have one; choose another model"
            )
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(
            tokenizer, template, {key: _content(value) for key, value in config.items() if key.endswith("_token")}
        )

    @property
    def eos_id(self) -> int | None:
        """The token that ends an answer, if the model names one."""
        token: int | None = self._tokenizer.token_to_id(self._special.get("eos_token", ""))
        return token

    def render(self, messages: Sequence[tuple[str, str]]) -> str:
        """The prompt as the model sees it, up to where its answer begins."""
        chat = [{"role": role, "content": content} for role, content in messages]
        try:
            return self._template.render(messages=chat, add_generation_prompt=True, **self._special)
        except TemplateError as exc:
            raise Invalid(f"the model's chat template refuses these messages: {exc}", field="messages") from exc

    def encode(self, text: str) -> list[int]:
        """Token ids; nothing is added at either end."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text without special tokens."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    @cached_property
    def token_bytes(self) -> TokenBytes:
        """The bytes of single tokens."""
        return TokenBytes(self._tokenizer)

    def count(self, text: str) -> int:
        """How many tokens the text takes."""
        return len(self.encode(text))

    def count_messages(self, messages: Sequence[tuple[str, str]]) -> int:
        """How many tokens the rendered chat takes, with all that the template adds."""
        return self.count(self.render(messages))


def _content(value: object) -> str:
    return value["content"] if isinstance(value, dict) else str(value or "")


def _refuse(message: str) -> None:
    raise TemplateError(message)
