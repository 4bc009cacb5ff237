"""Tiny random-weight models, built in the test, and a server on loopback that speaks the OpenAI protocol."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from understudy.core.language import LanguageModel, Prompt


def _tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer whose tokens are bytes."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {"<pad>": 0, "</s>": 1, "<unk>": 2} | {letter: k for k, letter in enumerate(letters, start=3)}
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )


def decoder(folder: Path) -> Path:
    """Write a decoder of one layer into the folder."""
    torch.manual_seed(0)
    tokenizer = _tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=16_384, eos_token_id=1, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def encoder_decoder(folder: Path) -> Path:
    """Write a model of the T5 family into the folder."""
    torch.manual_seed(0)
    tokenizer = _tokenizer()
    config = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=16, d_ff=64, num_layers=1, num_heads=2,
        eos_token_id=1, pad_token_id=0,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config)
    model.generation_config.decoder_start_token_id = 0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def server(model: LanguageModel) -> Iterator[str]:
    """Serve a model at /v1/chat/completions of a free port of this machine; give the base address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            schema = body["response_format"]["json_schema"]["schema"]
            turns = [{"role": m["role"], "text": m["content"]} for m in body["messages"]]
            prompt = Prompt.model_validate(
                {"messages": turns, "schema": schema, "most_tokens": body["max_tokens"]}
            )
            message = {"role": "assistant", "content": model.write(prompt)}
            answer = json.dumps(
                {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}/v1"
    finally:
        served.shutdown()
        served.server_close()
        thread.join()


@contextmanager
def peer(answers: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by a function of the bare socket, for peers that misbehave."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            answers(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        listening.close()
        thread.join(timeout=10)


def falls_silent(connection: socket.socket) -> None:
    """Never answer, until the other side goes."""
    connection.settimeout(5)
    while connection.recv(1_024):
        pass


def closes(connection: socket.socket) -> None:
    """Hang up without a word."""


def closes_half(connection: socket.socket) -> None:
    """Announce an answer, send a part of it, and close the sending side only."""
    connection.sendall(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"choi'
    )
    connection.shutdown(socket.SHUT_WR)
    falls_silent(connection)


def drips(connection: socket.socket) -> None:
    """Send byte after byte, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n")
    try:
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)
    except OSError:
        return


def redirects(connection: socket.socket) -> None:
    """Send the request elsewhere."""
    connection.sendall(b"HTTP/1.1 307 Go\r\nLocation: http://192.0.2.1/v1\r\nContent-Length: 0\r\n\r\n")
