"""The language models that can be chosen; `embedded` needs none and is the default."""

from __future__ import annotations

from understudy.core.catalog import Catalog, Entry
from understudy.core.language import LanguageModel

CATALOG: Catalog[LanguageModel] = Catalog(
    "language_model",
    (
        Entry(
            "embedded",
            "understudy.language.embedded:Embedded",
            "no language model: the built-in interpreter alone; no weights, no network",
            frozenset({"offline"}),
        ),
        Entry(
            "openai_compatible",
            "understudy.language.openai_compatible:OpenAICompatible",
            "a server on this machine that speaks the OpenAI protocol: Ollama, llama.cpp, vLLM",
            frozenset({"server", "constrained"}),
        ),
        Entry(
            "scripted",
            "understudy.language.scripted:Scripted",
            "answers that were written beforehand, for tests",
            frozenset({"offline", "tests"}),
        ),
        Entry(
            "transformers",
            "understudy.language.local_weights:LocalWeights",
            "a folder of weights for transformers, FLAN-T5 or a decoder (extra `llm`)",
            frozenset({"offline", "constrained"}),
        ),
    ),
)
