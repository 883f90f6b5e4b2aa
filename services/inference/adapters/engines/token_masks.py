"""Which tokens may come next in an answer that follows a grammar, for engines that leave the masking to us."""

from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from transformers import PreTrainedTokenizerFast
from xgrammar.compiler import GrammarCompiler
from xgrammar.matcher import GrammarMatcher, allocate_token_bitmask, apply_token_bitmask_inplace
from xgrammar.tokenizer_info import TokenizerInfo

from headrace.models.tokenizer import TOKENIZER


class Mask:
    """One answer's place in its grammar."""

    def __init__(self, matcher: GrammarMatcher, prompt_tokens: int, vocabulary: int) -> None:
        self._matcher = matcher
        self._read = prompt_tokens
        self._bits = allocate_token_bitmask(1, vocabulary)

    def apply(self, scores: torch.Tensor, tokens: list[int]) -> None:
        """Leave only what may follow `tokens`, prompt and answer so far; in place, scores (vocabulary,)."""
        for token in tokens[self._read :]:
            self._matcher.accept_token(token)
        self._read = max(self._read, len(tokens))
        # Behind its end nothing may follow, and nothing will: the engine has seen the end as well.
        if not self._matcher.is_terminated():
            self._matcher.fill_next_token_bitmask(self._bits)
            apply_token_bitmask_inplace(scores.unsqueeze(0), self._bits.to(scores.device))


class Masks:
    """The grammars of one model's answers, compiled for its tokens and kept for the next answer."""

    def __init__(self, folder: Path, vocabulary: int, eos_ids: list[int]) -> None:
        self._folder = folder
        self._vocabulary = vocabulary
        self._eos_ids = eos_ids

    def mask(self, grammar: str, prompt_tokens: int) -> Mask:
        """The place before the first token of an answer."""
        return Mask(GrammarMatcher(self._compiler.compile_grammar(grammar)), prompt_tokens, self._vocabulary)

    @cached_property
    def _compiler(self) -> GrammarCompiler:
        tokenizer = cast("Any", PreTrainedTokenizerFast)(tokenizer_file=str(self._folder / TOKENIZER))
        known = TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=self._vocabulary, stop_token_ids=[token for token in self._eos_ids if token >= 0]
        )
        return GrammarCompiler(known)
