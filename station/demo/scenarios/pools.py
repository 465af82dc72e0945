"""Keys that are shared.

Substitute keys (for hourly staff): 5031, 5032, 5033 of home care north (unit 1), 5034 of south (2), 5036 of east (3),
5042 of the private provider (8), whose unit is closed. Emergency keys (for the others, whose own key is broken or
lost): 5044 of north, 5046 of east, 5051 of the provider. Hourly: David 1004 (north), Elin 1005 (north, south and
east), Klas 1039 (provider). Permanent: Anna 1001 (north), Hassan 1008 (south), Hedda 1036 (provider); long-term:
Cecilia 1003 (north). Petra 1016 (east) has left.
"""

from station.demo.scenario import Scenario


async def play(scene: Scenario) -> None:
    """Play it."""
    await scene.skip_until("06:55")

    await scene.say("A substitute key: David's PIN switches it on, and the event is the receipt.")
    await scene.switch_on(5031, 1004)
    await scene.see("out_ready")
    await scene.event("pool_key_taken", 5031)
    await scene.lock(5031, 101, 2, "opened", record=True)

    await scene.say(
        "Handed in at a station of its own unit: in, nothing typed, out. What David opened is in the log, "
        "under his name."
    )
    await scene.skip_until("12:00")
    await scene.insert(5031)
    await scene.see("prompt")
    await scene.log(101, 5031, 1004)
    await scene.pull()
    await scene.see("out_off")
    await scene.lock(5031, 101, 2, "not_active")
    await scene.skip(10)
    await scene.event("pool_key_returned", 5031)

    await scene.say("Elin takes the same key in the afternoon: the permit on it is now hers.")
    await scene.skip(600)
    await scene.insert(5031)
    await scene.see("prompt")
    await scene.pin(1005)
    await scene.see("ready")
    await scene.file(5031, "permit", "written")
    await scene.pull()
    await scene.lock(5031, 140, 3, "opened", record=True)
    await scene.lock(5031, 370, 10, "no_permission", record=True)

    await scene.say("The log tells the two holders of one key apart.")
    await scene.skip_until("18:00")
    await scene.insert(5031)
    await scene.see("prompt")
    await scene.log(140, 5031, 1005)
    await scene.log(370, 5031, 1005)
    await scene.pull()

    await scene.say("Another station reads the same entries: nothing is doubled.")
    await scene.station(2)
    await scene.skip(60)
    await scene.switch_off(5031)
    await scene.no_event("lock_opened", 5031)
    await scene.no_event("log_gap", 5031)
    await scene.station(1)

    await scene.say("Hourly staff have a permit for each unit: on a key of east Elin opens the areas of east.")
    await scene.switch_on(5036, 1005)
    await scene.lock(5036, 240, 6, "opened")
    await scene.lock(5036, 101, 2, "no_permission")

    await scene.say(
        "David has no permit for south: a wrong PIN there, no falling back to north's; the coordinator sees why."
    )
    await scene.insert(5034)
    await scene.see("prompt")
    await scene.pin(1004)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.event("key_refused", 5034, "no_permit")
    await scene.event("pin_rejected", 5034)
    await scene.pull()

    await scene.say(
        "A permanent employee's PIN on a substitute key looks like nobody's, counts, and says whom the key is for."
    )
    await scene.insert(5032)
    await scene.see("prompt")
    await scene.pin(1001)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.event("key_refused", 5032, "not_hourly")
    await scene.pin(1001)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pin(1001)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pin(1001)
    await scene.see("wait", "wrong_pin")
    await scene.wait(5)
    await scene.pull()

    await scene.say("An emergency key: for permanent staff, also of another unit, and for long-term substitutes.")
    await scene.switch_on(5044, 1001)
    await scene.event("pool_key_taken", 5044)
    await scene.lock(5044, 140, 3, "opened")
    await scene.skip(10)
    await scene.switch_on(5044, 1003)
    await scene.skip(10)
    await scene.switch_on(5044, 1008)
    await scene.lock(5044, 170, 4, "opened")
    await scene.lock(5044, 140, 3, "no_permission")

    await scene.say("Hourly staff get no emergency key.")
    await scene.skip(10)
    await scene.insert(5044)
    await scene.see("prompt")
    await scene.pin(1004)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.event("key_refused", 5044, "not_permanent")
    await scene.pull()

    await scene.say("The private provider's unit is closed: its keys are not for others …")
    await scene.insert(5051)
    await scene.see("prompt")
    await scene.pin(1001)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.event("key_refused", 5051, "closed_unit")
    await scene.pull()
    await scene.insert(5042)
    await scene.see("prompt")
    await scene.pin(1004)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pull()

    await scene.say(
        "… and others' keys are not for its people; among themselves they work, at any station of the site."
    )
    await scene.insert(5044)
    await scene.see("prompt")
    await scene.pin(1036)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pull()
    await scene.switch_on(5051, 1036)
    await scene.lock(5051, 370, 10, "opened")
    await scene.switch_on(5042, 1039)

    await scene.say("Once the unit is open, Hedda may take an emergency key of north.")
    await scene.manage("open-unit", 8)
    await scene.switch_on(5044, 1036)
    await scene.manage("close-unit", 8)

    await scene.say("A permission is withdrawn: Elin's for south, and for south only.")
    await scene.manage("withdraw-permission", 1005, 2)
    await scene.insert(5034)
    await scene.see("prompt")
    await scene.pin(1005)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pull()
    await scene.switch_on(5036, 1005)

    await scene.say("The PIN of somebody who has left is nobody's PIN: the one wording of every wrong PIN.")
    await scene.insert(5046)
    await scene.see("prompt")
    await scene.pin(1016)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pull()

    await scene.say("On a shared key a right PIN takes back its own count only: the next wrong one is the fourth.")
    await scene.insert(5033)
    await scene.see("prompt")
    await scene.type_wrong_pins(3)
    await scene.pin(1004)
    await scene.see("ready")
    await scene.pull()
    await scene.skip(10)
    await scene.insert(5033)
    await scene.see("prompt")
    await scene.type("*000000#")
    await scene.see("wait")
    await scene.pull()

    await scene.say("After a day the wrong PINs on a shared key are forgotten.")
    await scene.skip(86401)
    await scene.insert(5033)
    await scene.see("prompt")
    await scene.type_wrong_pins(1)
    await scene.pull()

    await scene.say("A new PIN works on whatever key the person takes; the old one is nobody's.")
    await scene.manage("new-pin", 1004)
    await scene.switch_on(5031, 1004)

    await scene.say("A blank key is handed out against a one-time code, and serves at once.")
    await scene.insert(5055)
    await scene.see("blank")
    await scene.pull()
    await scene.manage("hand-out-key", 5055)
    await scene.switch_on(5055, 1004)
    await scene.event("pool_key_taken", 5055)
    await scene.lock(5055, 101, 2, "opened")
