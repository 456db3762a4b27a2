"""A web server of a bench."""

from __future__ import annotations

import urllib.error
import urllib.request

from lab.bench.process import Died, Process
from lab.bench.waiting import tail, wait_until


class Server(Process):
    """A web server. `address` is its host and port, `url` what a browser opens."""

    address = ""

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def wait_until_it_answers(self, timeout: float = 60.0) -> None:
        """Any answer will do, be it "not found".

        Raises `Died` when the server ends before it answers, `TooLate` after `timeout` seconds.
        """

        def answers() -> bool:
            if not self.running:
                raise Died(
                    f"{self.name} ended with exit code {self.returncode} before it answered."
                    f"\nThe log ends with:\n{tail(self.log())}"
                )
            try:
                urllib.request.urlopen(f"{self.url}/", timeout=timeout).close()
            except urllib.error.HTTPError:
                return True
            except OSError:  # nobody listens yet, or it hung up
                return False
            return True

        wait_until(answers, f"{self.name} did not answer", timeout=timeout, log=self.log)
