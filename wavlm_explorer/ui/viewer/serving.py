"""The route by which the viewer fetches its arrays and its own files, beside Streamlit's.

A trace, or a change of one, is offered under a token that nobody can guess, for as long as its session keeps it; the
route holds none alive. Arrays travel as they are: compressing them would take longer than sending them.
"""

import hashlib
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

import psutil
import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from ...tracing import Trace
    from .change import Change

STATIC = resources.files("wavlm_explorer.ui.viewer") / "static"
MIME_TYPES = {"js": "text/javascript", "css": "text/css"}
FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}
AS_IT_IS = {"Content-Encoding": "identity"}  # keeps Streamlit's middleware from compressing

_offered: WeakValueDictionary[str, "Trace | Change"] = WeakValueDictionary()
_tokens: WeakKeyDictionary["Trace | Change", str] = WeakKeyDictionary()


def offer(shown: "Trace | Change") -> str:
    """Return the token under which the viewer may fetch what belongs to a trace or a change."""
    token = _tokens.setdefault(shown, secrets.token_urlsafe(16))
    _offered[token] = shown
    return token


def static_digest() -> str:
    """A name for the viewer's files as they are now: new files have a new address, so that caches never mix them."""
    files = sorted((file.name, file.read_bytes()) for file in STATIC.iterdir() if file.is_file())
    return hashlib.blake2b(repr(files).encode(), digest_size=8).hexdigest()


def base_address() -> str:
    """Where the routes begin, below the path that a server may share with others."""
    return "/".join(["", *filter(None, [str(st.get_option("server.baseUrlPath")).strip("/")]), "viewer"])


def _serve_static(request: Request) -> Response:
    name = request.path_params["name"]
    known = {file.name: file for file in STATIC.iterdir()}
    if name not in known:
        raise HTTPException(404)
    return Response(known[name].read_bytes(), media_type=MIME_TYPES[name.rpartition(".")[2]], headers=FOREVER)


def _serve_arrays(request: Request) -> Response:
    from . import guesses, payloads  # PyTorch, once somebody looks

    shown = _offered.get(request.path_params["token"])
    if shown is None:
        raise HTTPException(410, "This trace is no longer kept; reload the page.")
    try:
        content = payloads.make(shown, request.path_params["what"], dict(request.query_params))
    except guesses.SupersededError as error:
        raise HTTPException(409, str(error)) from error
    except (IndexError, KeyError, ValueError) as error:
        raise HTTPException(400, str(error)) from error
    except MemoryError as error:
        raise HTTPException(507, str(error)) from error
    return Response(content, media_type="application/octet-stream", headers=FOREVER | AS_IT_IS)


def _serve_moments(_: Request) -> Response:
    from .moments import moments_payload  # PyTorch, once somebody looks

    return Response(moments_payload(), media_type="application/octet-stream", headers=FOREVER | AS_IT_IS)


@asynccontextmanager
async def answer_at_once(_: object) -> AsyncIterator[None]:
    """Let connections send a short answer without waiting, as a server's connections usually do.

    Streamlit hands its server a socket of its own making, which leaves Nagle's algorithm on: the end of each answer
    would wait for the browser to acknowledge its beginning, 40 ms. Connections inherit the setting where they arrive.
    """
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN:
            with socket.socket(fileno=os.dup(connection.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    yield


ROUTES = [
    Route("/viewer/files/{digest}/{name}", _serve_static),
    Route("/viewer/moments/{digest}", _serve_moments),
    Route("/viewer/{token}/{what}", _serve_arrays),
]
