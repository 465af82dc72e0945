"""Every PIN anew after a station was stolen: what the thief knows is worth nothing for a PIN given since."""

from types import SimpleNamespace

import pytest

from central.actions import pins as pin_actions
from central.actions.pins import cancel_pin_renewal, end_pin_renewal, give_pin, renew_pins, start_pin_renewal
from central.actions.stations import revoke_station
from central.feed import change_and_sign
from central.models import Holder, Permission, Permit, SealedSecret, Site, Station, Task
from central.operations.scheduler import do_what_is_due
from central.signing import keyring
from station.records import claims
from station.records.base64url import decoded
from station.records.envelope import verified
from station.records.pins import pin_tags
from tests.central.mirror_copy import MirrorCopy
from tests.central.served import Caller, Served
from tests.central.site import make_site, saved


@pytest.fixture
def people(site: SimpleNamespace) -> dict[int, str]:
    """Two people of `site`, and the PINs that they have."""
    with change_and_sign():
        other = saved(Holder(site=site.site, number=11, given_name="Ola", category=0, unit=site.unit))
        saved(Permission(holder=other)).areas.set([site.area])
    return {holder.number: give_pin(holder).pin for holder in (site.holder, other)}


def versions(site: SimpleNamespace) -> list[int]:
    return Site.objects.get(pk=site.site.pk).pin_versions


def found_by(pin: str, caller: Caller) -> list[int]:
    """Whom a station finds that has what `GET /pin` and the mirror say: by the tags in their permits."""
    told = caller.http.get("/pin").json()
    peppers = [decoded(each["pepper"]) for each in told["peppers"]]
    tags = pin_tags(pin.encode(), decoded(told["site_salt"]), peppers)
    copy = MirrorCopy(caller)
    permits = (verified(claims.Permit, decoded(each["record"]), copy.chain.verifying()) for each in copy.all("permit"))
    return [permit.holder for permit in permits if permit is not None and permit.pin_tag in tags]


def test_a_whole_renewal(site: SimpleNamespace, enrolled: Caller, people: dict[int, str], served: Served) -> None:
    copy = MirrorCopy(enrolled)
    (old,) = versions(site)
    stolen = keyring.pin_secrets(site.site)
    with change_and_sign():
        lost = saved(Station(site=site.site, number=9, name="Bortförd", unit=site.unit))
    task = revoke_station(lost)

    # It begins with a pepper that nobody has seen; all that there is goes on meanwhile.
    new, still = versions(site)
    assert (still, new > old) == (old, True)
    copy.follow()
    assert copy.objects["site", 0]["pin_versions"] == [new, old]
    told = enrolled.http.get("/pin").json()["peppers"]
    assert [each["version"] for each in told] == [new, old]
    assert {number: found_by(pin, enrolled) for number, pin in people.items()} == {10: [10], 11: [11]}

    # A new PIN is under the new one alone: with the stolen pepper and all tags it is not to be found by trying.
    site.holder.refresh_from_db()
    first = give_pin(site.holder).pin
    tag = bytes(Holder.objects.get(pk=site.holder.pk).pin_tag)
    assert tag not in stolen.tags(first)
    assert found_by(first, enrolled) == [10]
    assert found_by(people[11], enrolled) == [11], "whose PIN is old is still served"
    assert found_by(people[10], enrolled) == [], "the PIN before it is over"
    end_pin_renewal(site.site)
    assert versions(site) == [new, old], "somebody is left"

    # With the last one the old version is over, its pepper as well.
    (given,) = renew_pins(site.site, [site.unit], "Kim")
    assert versions(site) == [new]
    task.refresh_from_db()
    assert task.done_at is not None
    peppers = SealedSecret.objects.filter(site=site.site, kind="pepper")
    assert list(peppers.values_list("number", flat=True)) == [new]
    copy.follow()
    assert copy.objects["site", 0]["pin_versions"] == [new]
    assert [each["version"] for each in enrolled.http.get("/pin").json()["peppers"]] == [new]
    assert (found_by(given.pin, enrolled), found_by(first, enrolled)) == ([11], [10])
    for permit in Permit.objects.filter(holder__site=site.site).select_related("holder"):
        claimed = verified(claims.Permit, bytes(permit.record), keyring.verifying_keys(site.site))
        assert claimed is not None
        assert claimed.pin_tag == bytes(permit.holder.pin_tag)


def test_a_pin_that_anybody_has_under_either_pepper_is_given_to_nobody(
    site: SimpleNamespace, people: dict[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_pin_renewal(site.site, "Kim")
    site.holder.refresh_from_db()
    given = give_pin(site.holder).pin
    proposed = iter([people[11], given, "271828"])
    monkeypatch.setattr(pin_actions, "random_pin", lambda _digits: next(proposed))
    assert give_pin(Holder.objects.get(site=site.site, number=11)).pin == "271828"


def test_a_second_stolen_station_is_answered_when_nobody_has_a_pin_of_the_first_thief(
    site: SimpleNamespace, people: dict[int, str]
) -> None:
    assert len(people) == 2
    with change_and_sign():
        lost = [saved(Station(site=site.site, number=n, name=f"Bortförd {n}", unit=site.unit)) for n in (8, 9)]
    first = revoke_station(lost[0])
    between, _ = versions(site)
    second = revoke_station(lost[1])
    assert start_pin_renewal(site.site, "Kim") in {first, second}, "one that goes on is enough, by hand"
    assert versions(site)[0] == between, "no station knows three, and nobody's PIN ends before there is a new one"
    renew_pins(site.site, [site.unit], "Kim")
    newest, ending = versions(site)
    assert (ending, newest > between) == (between, True)
    assert list(Task.objects.filter(site=site.site, done_at=None, kind="renew_pins")) == [second]
    renew_pins(site.site, [site.unit], "Kim")
    assert versions(site) == [newest]
    assert not Task.objects.filter(site=site.site, done_at=None, kind="renew_pins").exists()


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_whoever_leaves_or_never_had_one_holds_no_renewal_up(
    site: SimpleNamespace, people: dict[int, str], is_cancelled: bool
) -> None:
    assert len(people) == 2
    start_pin_renewal(site.site, "Kim")
    site.holder.refresh_from_db()
    give_pin(site.holder)
    if is_cancelled:
        cancel_pin_renewal(site.site, "Kim")
    with change_and_sign():
        Holder.objects.filter(site=site.site, number=11).update(status="ended")
        saved(Holder(site=site.site, number=12, given_name="Ny", family_name="Test", category=0, unit=site.unit))
    do_what_is_due(1)
    assert len(versions(site)) == 1


def test_a_version_is_never_used_twice() -> None:
    site = make_site().site
    assert keyring.make_pepper(site, 1) == site.pin_version + 1, "also when the clock was set back"
