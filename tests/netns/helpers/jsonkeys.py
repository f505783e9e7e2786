#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines of JSON on standard input, each one object: prints every key that there is, once, sorted.

Keys of an object in an object are written OBJECT.KEY, those of a list's elements LIST[].KEY. Under a key that an
argument names, the keys are data, not names: they come out as KEY.*
"""
import json
import sys


def keys(value, prefix, data):
    if isinstance(value, list):
        for element in value:
            yield from keys(element, prefix + "[]", data)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        name = "*" if prefix in data else key
        path = f"{prefix}.{name}" if prefix else name
        yield path
        yield from keys(inner, path, data)


def main(argv):
    found = set()
    for line in sys.stdin:
        value = json.loads(line)
        if not isinstance(value, dict):
            return f"not an object: {line}"
        found.update(keys(value, "", set(argv[1:])))
    print("\n".join(sorted(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
