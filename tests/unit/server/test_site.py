"""The built site: types, compression, caching, policy, and nothing outside its folder."""

import asyncio
import gzip
from pathlib import Path

import brotli  # pyright: ignore[reportMissingTypeStubs]
import httpx
import pytest

from server_stub.site import Site

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob: https://api.example.org; frame-src 'self' blob: https://api.example.org; "
    "connect-src 'self' https://api.example.org; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'"
)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    site = tmp_path / "dist"
    site.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (site / "index.html").write_text("<!doctype html><title>Penstock</title>" + " " * 2_000)
    (site / "penstock.json").write_text('{"api": "https://api.example.org/api/v1"}')
    (site / "app.0f3a9c21.js").write_text("export const answer = 42;" + " " * 2_000)
    (site / "python.wasm").write_bytes(b"\0asm" + b"\0" * 4_000)
    (site / "wheel.whl").write_bytes(b"PK")
    (site / "big.mjs").write_text("plain")
    (site / "big.mjs.br").write_bytes(brotli.compress(b"from brotli"))  # pyright: ignore
    (site / "big.mjs.gz").write_bytes(gzip.compress(b"from gzip"))
    (site / "link").symlink_to(tmp_path / "secret.txt")
    return site


def client(site: Path) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(Site(site)), base_url="http://testserver")


def get(site: Path, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client(site) as http:
            return await http.get(path, headers={"accept-encoding": "identity", **headers})

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/app.0f3a9c21.js", "text/javascript; charset=utf-8"),
        ("/big.mjs", "text/javascript; charset=utf-8"),
        ("/python.wasm", "application/wasm"),
        ("/wheel.whl", "application/zip"),
        ("/penstock.json", "application/json"),
    ],
)
def test_every_file_has_its_type_and_the_policy(dist: Path, path: str, content_type: str) -> None:
    answer = get(dist, path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["referrer-policy"] == "same-origin"


def test_a_precompressed_sibling_is_preferred_and_brotli_before_gzip(dist: Path) -> None:
    assert get(dist, "/big.mjs").text == "plain"
    assert get(dist, "/big.mjs", **{"accept-encoding": "gzip, br"}).text == "from brotli"
    assert get(dist, "/big.mjs", **{"accept-encoding": "gzip;q=1, br;q=0"}).text == "from gzip"


def test_what_has_no_sibling_is_compressed_here(dist: Path) -> None:
    plain = get(dist, "/")
    for accepted, name in (("br, gzip", "br"), ("gzip", "gzip")):
        answer = get(dist, "/", **{"accept-encoding": accepted})
        assert answer.headers["content-encoding"] == name
        assert int(answer.headers["content-length"]) < len(plain.content) / 4
        assert answer.text == plain.text
        assert answer.headers["vary"] == "Accept-Encoding"


def test_hashed_names_never_change_and_the_others_are_checked(dist: Path) -> None:
    assert "immutable" in get(dist, "/app.0f3a9c21.js").headers["cache-control"]
    first = get(dist, "/index.html")
    assert first.headers["cache-control"] == "no-cache"
    again = get(dist, "/index.html", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/link", "/a/../../secret.txt", "/nope", "/%00"]
)
def test_nothing_outside_the_folder_is_served(dist: Path, path: str) -> None:
    answer = get(dist, path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_missing_site_says_what_to_do(tmp_path: Path) -> None:
    answer = get(tmp_path / "nothing", "/")
    assert answer.status_code == 503
    assert "make build" in answer.text
