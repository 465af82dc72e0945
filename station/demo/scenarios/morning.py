"""A morning: a shift begins, a shift ends, central is away, a PIN is wrong.

Key 5001 is Anna Apelsin's (holder 1001), key 5002 Bertil Blåbär's (1002), both of home care north: areas 2 and 3.
"""

from station.demo.scenario import Scenario


async def play(scene: Scenario) -> None:
    """Play it."""
    await scene.skip_until("06:55")

    await scene.say("Anna's shift begins. Her key is new: it blinks purple until it has met a station.")
    await scene.see("empty")
    await scene.light(5001, "purple_blinking")
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.pin(1001)
    await scene.see("ready")
    await scene.never("wrong_pin")
    await scene.pull()
    await scene.see("out_ready")
    await scene.light(5001, "blue_steady")
    await scene.lock(5001, 140, 3, "opened")
    await scene.lock(5001, 1, 99, "opened")
    await scene.lock(5001, 370, 10, "no_permission")
    await scene.event("key_activated", 5001)

    await scene.say("Her shift ends: in, nothing typed, out.")
    await scene.skip_until("15:30")
    await scene.switch_off(5001)
    await scene.see("out_off")
    await scene.light(5001, "blue_blinking")
    await scene.lock(5001, 140, 3, "not_active")
    await scene.event("key_deactivated", 5001)

    await scene.say("Impatient: the PIN before the prompt, ended by # alone, as on the newer panel.")
    await scene.skip_until("06:55")
    await scene.insert(5001)
    await scene.pin(1001, "end")
    await scene.see("ready")
    await scene.pull()

    await scene.say("Key in, and out: it is off, whoever does it.")
    await scene.skip(60)
    await scene.switch_off(5001)
    await scene.lock(5001, 140, 3, "not_active")

    await scene.say("The network is gone: the same from the mirror, and the screen says how old it is.")
    await scene.network("cut")
    await scene.skip(900)
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.pin(1001)
    await scene.see("ready")
    await scene.age(900)
    await scene.pull()
    await scene.lock(5001, 140, 3, "opened")

    await scene.say("A wrong PIN is refused, a colleague's right one in the same words; the right one still works.")
    await scene.skip(60)
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.type("*000000#")
    await scene.see("wrong_pin", "wrong_pin")
    await scene.pin(1002)
    await scene.see("wrong_pin", "wrong_pin")
    await scene.lock(5001, 140, 3, "not_active")
    await scene.pin(1001)
    await scene.see("ready")
    await scene.pull()

    await scene.say("The network is back: central hears of everything, also of what happened meanwhile.")
    await scene.network("restored")
    await scene.event("key_activated", 5001)
    await scene.event("pin_rejected", 5001)
    await scene.event("central_lost")
    await scene.event("central_back")

    await scene.say("Two keys after each other.")
    await scene.skip(60)
    await scene.switch_off(5001)
    await scene.insert(5002)
    await scene.see("prompt")
    await scene.key_shown(5002)
    await scene.pin(1002)
    await scene.see("ready")
    await scene.pull()
    await scene.see("out_ready")
    await scene.lock(5002, 140, 3, "opened")
    await scene.lock(5001, 140, 3, "not_active")
