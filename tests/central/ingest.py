"""Stations that hand over events all the time, as theirs do: each until it is taken, again after 503."""

import threading
import time
from typing import Any
from uuid import uuid4

import httpx

from station.records.base64url import decoded

AT_ONCE = 3
PAUSE_S = 0.05
"""Instead of `Retry-After`, which the tests do not wait for."""
ANSWERS = {200, 503}


class Poster(threading.Thread):
    """One station's outbox in a thread of its own."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.url, self.token, self.instance = url, token, str(uuid4())
        self.taken: list[str] = []
        """Ids that were acknowledged, in their order."""
        self.others: list[tuple[int, str]] = []
        """Answers that were none of those that a station expects."""
        self.revisions: list[int] = []
        self.epochs: set[str] = set()
        self.waited = 0
        """How often it was told to come again."""
        self.slowest_s = 0.0
        self._ended = threading.Event()

    def end(self) -> None:
        """What is being handed over is still taken."""
        self._ended.set()

    def run(self) -> None:
        """Hand over until told to end."""
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=60, headers=self._headers()) as http:
            while not self._ended.is_set():
                self._hand_over(http)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _hand_over(self, http: httpx.Client) -> None:
        batch = [self._event(len(self.taken) + 1 + n) for n in range(AT_ONCE)]
        while True:
            began = time.monotonic()
            try:
                answer = http.post("/events", json={"events": batch})
            except httpx.TransportError:
                # A station asks again; of a server that is killed nothing else is heard.
                self.waited += 1
                self._ended.wait(PAUSE_S)
                continue
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            if answer.status_code == 200:
                break
            if answer.status_code not in ANSWERS or int(answer.headers.get("Retry-After", "0")) <= 0:
                self.others.append((answer.status_code, answer.text))
                return
            self.waited += 1
            time.sleep(PAUSE_S)
        told: Any = answer.json()
        statuses = {each["status"] for each in told["results"]}
        if not statuses <= {"accepted", "duplicate"}:
            self.others.append((answer.status_code, answer.text))
        self.taken += [each["id"] for each in told["results"]]
        epoch, _, revision = decoded(told["cursor"]).decode("ascii").rpartition(".")
        self.epochs.add(epoch)
        self.revisions.append(int(revision))

    def _event(self, seq: int) -> dict[str, Any]:
        return {
            "id": str(uuid4()), "instance": self.instance, "seq": seq, "at": int(time.time()), "clock": 0,
            "type": "key_deactivated", "key": 5001, "data": {},
        }  # fmt: skip


def wait_for_more(posters: list[Poster], count: int, limit_s: float = 60.0) -> None:
    """Until each has handed over so many more."""
    wanted = [len(poster.taken) + count for poster in posters]
    deadline = time.monotonic() + limit_s
    while any(len(poster.taken) < least for poster, least in zip(posters, wanted, strict=True)):
        assert not any(poster.others for poster in posters), [poster.others[:1] for poster in posters]
        assert time.monotonic() < deadline, [len(poster.taken) for poster in posters]
        time.sleep(0.02)


def end(posters: list[Poster]) -> None:
    """All that they have begun is handed over, and nothing was answered that should not be."""
    for poster in posters:
        poster.end()
    for poster in posters:
        poster.join(60)
        assert not poster.is_alive()
        assert poster.others == []
        assert poster.revisions == sorted(poster.revisions), "revisions go back"
