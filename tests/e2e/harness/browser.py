"""A real browser, driven over the DevTools protocol by a pair of pipes."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time

from .clients import WAIT_S
from .gateway import clean_environment
from .story import check

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
)  # fmt: skip


class Browser:
    """One page. `problems` are console errors, exceptions and violations of the content security policy so far."""

    def __init__(self, *options):
        self.options = options
        self.problems = []
        self.numbers = itertools.count(1)
        self.session = None

    def __enter__(self):
        self.profile = tempfile.mkdtemp(prefix="tlsfloor-chromium-")
        to_browser, self.to = os.pipe()
        self.come, from_browser = os.pipe()

        def pipes_of_the_browser():  # its descriptors 3 and 4, by way of numbers that are neither
            high = [os.dup2(fd, number) for fd, number in ((to_browser, 103), (from_browser, 104))]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            ["chromium", *OPTIONS, f"--user-data-dir={self.profile}", *self.options, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            close_fds=False,
            preexec_fn=pipes_of_the_browser,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.input = os.fdopen(self.come, "rb")
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.input.close()
        os.close(self.to)
        shutil.rmtree(self.profile, ignore_errors=True)

    def _read(self):
        data = bytearray()
        while (byte := self.input.read(1)) != b"\0":
            if not byte:
                raise EOFError("the browser has ended")
            data += byte
        return json.loads(data)

    def _note(self, event):
        method, told = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.problems.append(told["exceptionDetails"].get("exception", {}).get("description", str(told)))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.problems.append(str([a.get("value") for a in told["args"]]))
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def ask(self, method, **parameters):
        """A command of the protocol, and its result."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self._note(answer)
        check("error" not in answer, f"{method}: {answer.get('error')}")
        return answer["result"]

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def window(self, width, height, dark=False):
        """The size of the page, and which scheme its user prefers."""
        phone = width < 600
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def value(self, expression):
        """What JavaScript makes of it, as data."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        check("exceptionDetails" not in result, f"{expression}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def wait(self, expression, timeout=WAIT_S):
        """The value, once it is true."""
        end = time.monotonic() + timeout
        while not (value := self.value(expression)):
            check(time.monotonic() < end, f"never came true: {expression}")
            time.sleep(0.05)
        return value

    def press(self, key, code=None):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            number = {"Tab": 9, "Enter": 13, " ": 32}.get(key, 0)
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, windowsVirtualKeyCode=number, **text)

    def screenshot(self, file, whole=True):
        image = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        with open(file, "wb") as f:
            f.write(base64.b64decode(image))
