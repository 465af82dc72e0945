"""A station's copy of the mirror: kept, summed up and confirmed by the parts that a station has for it."""

import os
import time
from typing import Any

from station.records.base64url import decoded, encoded
from station.records.central_chain import CentralChain
from station.records.claims import Head
from station.records.mirror_digest import MirrorSum, change_of, object_hash
from station.records.mirror_head import Call, HeadRefusal, Holding, confirming_head
from station.records.strict_json import read
from tests.central.served import Caller
from tests.mirror_sums import after


class MirrorCopy:
    """What a caller holds. Every answer has to be confirmed."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        first = decoded(caller.enrolled["central_keys"][0])
        self.chain = CentralChain.enrolled([first], first)
        self.objects: dict[Any, Any] = {}
        self.sum = MirrorSum()
        self.cursor = ""
        self.heads: list[Head] = []
        self.answer: dict[str, Any] = {}
        self.begin()

    def begin(self) -> None:
        """Take a snapshot."""
        nonce = os.urandom(16)
        answer = self.caller.snapshot(nonce)
        objects = answer["objects"]
        self.objects, self.sum = {}, MirrorSum()
        self._take(objects, [])
        self._confirm(answer, Call(self.caller.enrolled["station"], nonce))

    def follow(self, limit: int = 500, *, wait: int = 0, key: int | None = None) -> list[int]:
        """Ask until there is no more. The number of objects in each page."""
        pages = []
        while True:
            nonce = os.urandom(16)
            asked = {"limit": limit, "wait": wait, "nonce": encoded(nonce)} | ({} if key is None else {"key": key})
            response = self.caller.changes(self.cursor, **asked)
            assert response.status_code == 200, response.text
            answer = read(response.content)
            pages.append(self._take(answer["upserts"], answer["removes"]))
            self.cursor = answer["cursor"]
            assert ("head" in answer) == (not answer["more"])
            if not answer["more"]:
                self._confirm(answer, Call(self.caller.enrolled["station"], nonce, key))
                return pages

    def all(self, type_: str) -> list[dict[str, Any]]:
        """The objects of a type, by their ids."""
        return [each for name, each in sorted(self.objects.items()) if name.type == type_]

    def _take(self, upserts: list[Any], removes: list[Any]) -> int:
        change = change_of(upserts, removes)
        held = {name: object_hash(each) for name, each in self.objects.items()}
        self.sum = after(self.sum, change, held)
        self.objects |= change.upserts
        for name in change.removes:
            self.objects.pop(name, None)
        return len(upserts) + len(removes)

    def _confirm(self, answer: dict[str, Any], call: Call) -> None:
        holding = Holding(self.sum.count, self.sum.digest(), now_s=int(time.time()))
        if self.heads and "objects" not in answer:
            holding = Holding(holding.count, holding.digest, self.heads[-1].version, holding.now_s)
        # Not page by page: links are followed in the order of their numbers, whatever changed last.
        self.chain = self.chain.extended(self.all("central_key"))
        head = confirming_head(decoded(answer["head"]), self.chain.head_signer(), call, holding)
        assert not isinstance(head, HeadRefusal), head
        self.heads.append(head)
        self.cursor, self.answer = answer["cursor"], answer
