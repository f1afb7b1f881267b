"""Stands in for ``aws s3 sync`` in the shell lines of schedules: the same words, over HTTP to the emulator.

As the real one: what is there in the same size is not sent again, nothing is deleted, a folder that is not there
cannot be sent, and options that are not known are refused.
"""

from __future__ import annotations

import fnmatch
import sys
from pathlib import Path

import boto3
from botocore.handlers import add_expect_header


def main(words: list[str]) -> int:
    if words[:2] != ["s3", "sync"]:
        return 252
    given, places, excluded = words[2:], [], []
    while given:
        word = given.pop(0)
        if word == "--exclude":
            excluded.append(given.pop(0))
        elif not word.startswith("--"):
            places.append(word)
        elif word != "--no-progress":
            print(f"Unknown options: {word}", file=sys.stderr)
            return 252
    source, target = places
    client = boto3.client("s3")
    # otherwise botocore asks before it sends, and waits a second for an answer that the emulator never gives
    client.meta.events.unregister("before-call.s3", add_expect_header)
    if source.startswith("s3://"):
        return fetch(client, source, Path(target))
    return keep(client, Path(source), target, excluded)


def split(place: str) -> tuple[str, str]:
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    return bucket, f"{prefix}/"


def stored(client: object, bucket: str, prefix: str) -> dict[str, int]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)  # type: ignore[attr-defined]
    return {one["Key"].removeprefix(prefix): one["Size"] for page in pages for one in page.get("Contents", [])}


def fetch(client: object, source: str, target: Path) -> int:
    bucket, prefix = split(source)
    for name in stored(client, bucket, prefix):
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(bucket, prefix + name, str(path))  # type: ignore[attr-defined]
    return 0


def keep(client: object, source: Path, target: str, excluded: list[str]) -> int:
    if not source.is_dir():
        print(f"The user-provided path {source} does not exist.", file=sys.stderr)
        return 255
    bucket, prefix = split(target)
    there = stored(client, bucket, prefix)
    for path in (one for one in sorted(source.rglob("*")) if one.is_file()):
        name = path.relative_to(source).as_posix()
        if any(fnmatch.fnmatch(name, one) for one in excluded) or there.get(name) == path.stat().st_size:
            continue
        client.put_object(Bucket=bucket, Key=prefix + name, Body=path.read_bytes())  # type: ignore[attr-defined]
        print(f"upload: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
