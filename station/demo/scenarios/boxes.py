"""The two boxes.

13 is the activation box of home care north, 12 the update box of unit 8, a private provider. Key 5001 is Anna's
(1001), north; 5028 Hedda's (1036), unit 8, area 10; 5042 a substitute key of unit 8.
"""

from station.demo.scenario import Scenario


async def play(scene: Scenario) -> None:
    """Play it."""
    await scene.skip_until("mon 06:55")

    await scene.say("The activation box. A key that no station has prepared is refused, the second time too.")
    await scene.station(13)
    await scene.see("empty")
    await scene.lamp("dark")
    await scene.insert(5001)
    await scene.see("refused", "clock_unset")
    await scene.lamp("red")
    await scene.pull()
    await scene.skip(10)
    await scene.insert(5001)
    await scene.see("refused", "clock_unset")
    await scene.pull()
    await scene.light(5001, "purple_blinking")

    await scene.say(
        "Prepared by a station, it is seen, and is off. A wrong PIN is refused; with the right one it is active."
    )
    await scene.station(1)
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.file(5001, "sync", "there")
    await scene.pull()
    await scene.station(13)
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.lamp("white")
    await scene.type("*000000#")
    await scene.see("wrong_pin", "wrong_pin")
    await scene.lamp("red")
    await scene.lock(5001, 140, 3, "not_active")
    await scene.pin(1001)
    await scene.see("ready")
    await scene.lamp("green")
    await scene.pull()
    await scene.lock(5001, 140, 3, "opened")

    await scene.say("Without a PIN it is switched off here too.")
    await scene.skip(60)
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.lamp("white")
    await scene.pull()
    await scene.lock(5001, 140, 3, "not_active")

    await scene.say("The update box. A key of its unit is renewed; nobody types.")
    await scene.station(12)
    await scene.insert(5028)
    await scene.see("ready")
    await scene.never("prompt")
    await scene.pull()
    await scene.lock(5028, 368, 10, "opened")

    await scene.say(
        "Another unit's key is switched off and not renewed, the second time neither; a pool key not at all."
    )
    await scene.insert(5001)
    await scene.see("refused", "other_unit")
    await scene.pull()
    await scene.lock(5001, 140, 3, "not_active")
    await scene.skip(10)
    await scene.insert(5001)
    await scene.see("refused", "other_unit")
    await scene.pull()
    await scene.lock(5001, 140, 3, "not_active")
    await scene.insert(5042)
    await scene.see("refused", "not_personal")
    await scene.pull()
