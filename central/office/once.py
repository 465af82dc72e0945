"""A form acts once, however often it is sent: double click, reload, a second tab, back and again.

Each form on a page has a number of its own, `FIELD`. The first post with it acts; the same post again gets the same
answer for `ANSWER_KEPT_S`, so that a reload of a slip shows the same PIN and not a second one. The answer is sealed
under the form's number, which is kept nowhere here: whoever has the database has no PIN. Later the post is refused.
"""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from central.actions.sent_forms import ANSWER_KEPT_S
from central.clock import unix_now
from central.errors import Refused
from central.models import SentForm

FIELD = "form"
CHARACTERS = range(22, 65)
WAIT_S, LOOK_EVERY_S = 10.0, 0.05
"""For the first of two that were sent at once."""
NONCE_BYTES = 12
REFUSED_FROM = 400


def new_number() -> str:
    """For a form on a page."""
    return secrets.token_urlsafe(16)


def do_once(request: Any, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Do what a posted form asks for, or give the answer of the time when it was done.

    What is not taken (an answer of 4xx, an exception) has not been done, and may be sent again. Raises Refused: 400 for
    a post that comes from no form of ours, 409 for one whose answer is not to be had any more or that says something
    else than the first time.
    """
    number = str(request.POST.get(FIELD, ""))
    if len(number) not in CHARACTERS:
        raise Refused(400, "no_form", "not a form of this server")
    name = _hash(number, "name")
    content = _hash(number, request.path, request.POST.urlencode(), *_files(request))
    try:
        # Committed before the act and not with it: nothing may stand between an act's last lock and its commit.
        with transaction.atomic():
            SentForm.objects.create(sha256=name, user=request.user, content=content, at=unix_now())
    except IntegrityError:
        answer = _answer_again(request, number, name, content)
        # The other one of two at once was not taken: this is the first again.
        return do_once(request, act) if answer is None else answer
    done = False
    try:
        response = act()
        done = response.status_code < REFUSED_FROM
    finally:
        if not done:
            SentForm.objects.filter(pk=name).delete()
    if done:
        SentForm.objects.filter(pk=name).update(answer=_sealed(number, response))
    return response


def _answer_again(request: Any, number: str, name: str, content: str) -> HttpResponse | None:
    deadline = time.monotonic() + WAIT_S
    while True:
        sent = SentForm.objects.filter(pk=name, user=request.user, content=content).first()
        # One that is being done has no answer yet.
        if sent is None or sent.answer is not None or time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY_S)
    if sent is None and not SentForm.objects.filter(pk=name).exists():
        return None
    if sent is None or sent.answer is None or sent.at < unix_now() - ANSWER_KEPT_S:
        raise Refused(409, "sent_before", "this form was sent before")
    response = _opened(number, bytes(sent.answer))
    if isinstance(response, HttpResponseRedirect):
        messages.info(request, _("It was sent twice, and done once."))
    return response


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _files(request: Any) -> list[str]:
    found = []
    for file in request.FILES.values():
        found.append(hashlib.sha256(file.read()).hexdigest())
        file.seek(0)
    return found


def _sealed(number: str, response: HttpResponse) -> bytes:
    told = {"to": response.get("Location"), "page": None if response.has_header("Location") else response.text}
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(number)).encrypt(nonce, json.dumps(told).encode(), None)


def _opened(number: str, sealed: bytes) -> HttpResponse:
    told = json.loads(AESGCM(_key(number)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None))
    if told["to"] is not None:
        return HttpResponseRedirect(told["to"])
    response = HttpResponse(told["page"])
    response["Cache-Control"] = "no-store"
    return response


def _key(number: str) -> bytes:
    return bytes.fromhex(_hash(number, "answer"))
