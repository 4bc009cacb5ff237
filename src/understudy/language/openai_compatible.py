"""A server that speaks the OpenAI protocol; by default only one on this machine is asked."""

from __future__ import annotations

import asyncio
import json
import os
from ipaddress import ip_address
from typing import Any

import httpx2
from pydantic import Field, model_validator

from understudy.core.errors import LanguageModelError
from understudy.core.language import LanguageModel, Prompt

MOST_BYTES = 2_000_000


class OpenAICompatible(LanguageModel):
    """Ollama, the llama.cpp server, vLLM and others, at `base_url`."""

    base_url: str = Field(
        default="http://127.0.0.1:11434/v1", description="Address of the server, up to and with /v1."
    )
    model: str = Field(default="", description="Name of the model, as the server knows it.")
    timeout_s: float = Field(default=60, gt=0, le=3_600, description="Longest wait for a whole answer.")
    allow_remote: bool = Field(
        default=False, description="Whether a server on another machine may be asked; it reads the requests."
    )
    key_variable: str = Field(
        default="", description="Environment variable that holds the key, where the server wants one."
    )

    @model_validator(mode="after")
    def _stays_here(self) -> OpenAICompatible:
        url = httpx2.URL(self.base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{self.base_url!r} is no http address")
        if not self.allow_remote and not _is_this_machine(url.host):
            raise ValueError(
                f"{url.host!r} is not this machine, and requests would leave it; "
                "set allow_remote to true if that is meant"
            )
        return self

    def write(self, prompt: Prompt) -> str | None:
        """Ask the server, and return what it wrote.

        Raises:
            LanguageModelError: if it cannot be reached, is too slow, breaks off, or answers something else.
        """
        where = f"the language model at {self.base_url}"
        try:
            # One deadline for the whole exchange: a server that drips byte after byte would keep any
            # timeout of single reads.
            read = asyncio.run(asyncio.wait_for(self._asked(_body(self.model, prompt)), self.timeout_s))
            choice = json.loads(read)["choices"][0]
            text, ended = choice["message"]["content"], choice.get("finish_reason")
        except (TimeoutError, httpx2.TimeoutException) as error:
            raise LanguageModelError(f"{where} gave no answer within {self.timeout_s:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise LanguageModelError(f"{where} could not be asked ({_why(error)})") from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise LanguageModelError(f"{where} answered something that is no chat completion") from error
        if not isinstance(text, str) or ended == "length":
            raise LanguageModelError(f"{where} gave no complete answer")
        return text

    async def _asked(self, body: dict[str, Any]) -> bytes:
        key = os.environ.get(self.key_variable, "") if self.key_variable else ""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        address = f"{self.base_url.rstrip('/')}/chat/completions"
        read = bytearray()
        # No proxy and no redirect: either could carry the request to another machine.
        client = httpx2.AsyncClient(timeout=self.timeout_s, trust_env=False, follow_redirects=False)
        async with client, client.stream("POST", address, json=body, headers=headers) as answer:
            answer.raise_for_status()
            async for piece in answer.aiter_bytes():
                read += piece
                if len(read) > MOST_BYTES:
                    raise LanguageModelError(f"the language model at {self.base_url} answered without end")
        return bytes(read)


def _why(error: Exception) -> str:
    if isinstance(error, httpx2.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, httpx2.ConnectError):
        return "nothing answers there"
    return "it broke off" if isinstance(error, httpx2.TransportError) else type(error).__name__


def _body(model: str, prompt: Prompt) -> dict[str, Any]:
    form = {"name": "answer", "strict": True, "schema": dict(prompt.schema_)}
    return {
        "model": model,
        "messages": [{"role": m.role, "content": m.text} for m in prompt.messages],
        "max_tokens": prompt.most_tokens,
        "temperature": 0,
        "stream": False,
        "response_format": {"type": "json_schema", "json_schema": form},
    }


def _is_this_machine(host: str) -> bool:
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
