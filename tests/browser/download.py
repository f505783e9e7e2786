#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium with a window on one URL, whose downloads are saved, until SIGTERM.

usage: download.py PROFILE DIR URL [--text FILE] [--picture FILE] [OPTION...]
DIR gets what is downloaded. With --text, FILE has what the window shows, anew
each fifth of a second; with --picture, FILE.png the last picture of it.
It is driven over a pipe (--remote-debugging-pipe): headless, it saves nothing
of its own accord.
"""
import argparse
import base64
import itertools
import json
import os
import signal
import subprocess
import sys
import time


class Browser:
    """The DevTools protocol: JSON, each message ended by a NUL."""

    def __init__(self, profile, options):
        self.numbers = itertools.count(1)
        self.rest = b""
        to_read, self.write_end = os.pipe()
        self.read_end, to_write = os.pipe()

        def as_three_and_four():
            # Out of the way first: either may be in the other's place.
            ends = [os.dup(to_read), os.dup(to_write)]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", f"--user-data-dir={profile}",
             "--remote-debugging-pipe", *options, "about:blank"],
            preexec_fn=as_three_and_four, close_fds=False)
        os.close(to_read)
        os.close(to_write)

    def message(self):
        while b"\0" not in self.rest:
            data = os.read(self.read_end, 1 << 20)
            if not data:
                sys.exit("the browser is gone")
            self.rest += data
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def call(self, method, session=None, **params):
        number = next(self.numbers)
        call = {"id": number, "method": method, "params": params}
        if session:
            call["sessionId"] = session
        os.write(self.write_end, json.dumps(call).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == number:
                return answer.get("result", {})


def watch(browser, session, text, picture):
    shown = browser.call("Runtime.evaluate", session,
                         expression="document.body ? document.body.innerText"
                         " + getComputedStyle(document.querySelector('#state')"
                         " || document.body, '::after').content : ''")
    if text:
        with open(text + ".new", "w", encoding="utf-8") as f:
            f.write(str(shown.get("result", {}).get("value", "")))
        os.rename(text + ".new", text)
    if picture:
        image = browser.call("Page.captureScreenshot", session)
        if "data" in image:
            with open(picture, "wb") as f:
                f.write(base64.b64decode(image["data"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile")
    parser.add_argument("dir")
    parser.add_argument("url")
    parser.add_argument("--text")
    parser.add_argument("--picture")
    args, options = parser.parse_known_args()
    browser = Browser(args.profile, options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        browser.call("Browser.setDownloadBehavior", behavior="allow",
                     downloadPath=args.dir)
        target = browser.call("Target.createTarget", url="about:blank")
        session = browser.call("Target.attachToTarget", flatten=True,
                               targetId=target["targetId"])["sessionId"]
        # Not waited for: a page that stays open never ends to load.
        browser.call("Runtime.evaluate", session,
                     expression=f"location.href = {json.dumps(args.url)}")
        while True:
            time.sleep(0.2)
            watch(browser, session, args.text, args.picture)
    finally:
        browser.process.terminate()
        browser.process.wait()


main()
