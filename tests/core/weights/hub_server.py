"""A hub on 127.0.0.1 that answers as the real one does, and fails on request."""

from __future__ import annotations

import contextlib
import hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

COMMIT = "a" * 40


class Hub:
    """Serves files by path; switches say how it misbehaves."""

    def __init__(self):
        self.files = {}  # "owner/name/file" -> content
        self.gated = False
        self.redirect = False  # to a storage on another host name, as the real hub does
        self.break_after = None  # bytes of a body before the connection is cut, once
        self.corrupt = False
        self.requests = []  # (method, path, {header in lower case: value})
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self})
        )
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def content(self, path):
        return self.files.get(path.removeprefix("/storage").strip("/").replace("/resolve/main", ""))

    def __enter__(self):
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        content = self.note()
        if content is None:
            return self.answer(404, {"X-Error-Code": "EntryNotFound"})
        if self.hub.gated and "authorization" not in self.hub.requests[-1][2]:
            return self.answer(401, {"X-Error-Code": "GatedRepo"})
        tags = {
            "X-Repo-Commit": COMMIT,
            "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Linked-Size": str(len(content)),
        }
        if self.hub.redirect:
            storage = f"http://localhost:{self.server.server_port}/storage{self.path}"
            return self.answer(302, tags | {"Location": storage})
        return self.answer(200, tags, len(content))

    def do_GET(self):
        content = self.note()
        if content is None:
            return self.answer(404, {"X-Error-Code": "EntryNotFound"})
        if self.hub.corrupt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        wanted = self.headers.get("Range", "bytes=0-")
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        body = content[start:]
        span = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        self.answer(206 if start else 200, span if start else {}, len(body))
        if self.hub.break_after is not None:
            body, self.hub.break_after = body[: self.hub.break_after], None
            self.close_connection = True
        with contextlib.suppress(OSError):  # the client may have canceled
            self.wfile.write(body)
        return None

    def note(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append((self.command, self.path, headers))
        return self.hub.content(self.path)

    def answer(self, status, headers, length=0):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
