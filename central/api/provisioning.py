"""POST /provision: hand out a key at a station."""

import json

from auditlog.context import set_extra_data
from django.http import HttpRequest
from ninja import Router

from central.api.auth import StationAuth, counted
from central.api.calls import answers, caller, head_cursor
from central.api.schemas import MirrorObject, ProvisionIn, ProvisionOut
from central.clock import unix_now
from central.codes import find
from central.errors import Refused
from central.feed import change
from central.feed.page import with_revision
from central.issuing import keys
from central.models import Key, MirrorRow, ProvisionCode

router = Router(auth=StationAuth())


@router.post("/provision", response=answers(400, 401, 403, 410, 413, 429, ok=ProvisionOut))
def provision(request: HttpRequest, body: ProvisionIn) -> ProvisionOut:
    """Sign the record of the code's key; from now on stations know it. The same again for the code's 15 minutes."""
    station = caller(request)
    now = unix_now()
    with counted(request):
        found = find(ProvisionCode, body.code, now)
    # Another site's code and one that was used already count like wrong ones.
    with counted(request), change():
        code = ProvisionCode.objects.select_for_update().get(pk=found.pk)
        key = Key.objects.select_related("site", "unit", "holder").get(pk=code.key_id)
        if key.site_id != station.site_id:
            raise Refused(403, "bad_code", "no such code")
        if code.used_at is None:
            if key.status in (Key.Status.BLOCKED, Key.Status.RETURNED):
                raise Refused(410, "code_spent", "this key is not to be handed out")
            with set_extra_data({"additional_data": {"station": station.number}}):
                keys.hand_out(key, now)
            code.used_at, code.used_by = now, station
            code.save(update_fields=["used_at", "used_by"])
        elif code.used_by_id != station.pk:
            raise Refused(410, "code_spent", "this code has been used: ask for a new one")
    row = MirrorRow.objects.get(site=station.site_id, type=Key.MIRROR_TYPE, number=key.number)
    mirror_object = MirrorObject.model_validate(json.loads(with_revision(row.content, row.revision)))
    return ProvisionOut(key=mirror_object, cursor=head_cursor(station))
