"""Without a network: the mirror carries a station for ten days; after that it can only switch keys off.

Key 5001 is Anna's (1001), 5002 Bertil's (1002), both north; 5006 Hassan's (1008), south; 5009 Karin's (1011), whose
employment ends in five days.
"""

from station.demo.scenario import Scenario


async def play(scene: Scenario) -> None:
    """Play it."""
    await scene.skip_until("06:55")

    await scene.say("Central answers slowly: nobody waits for it longer than a moment.")
    await scene.network("slow", 1500)
    await scene.switch_on(5001, 1001)
    await scene.network("restored")

    await scene.say(
        "The network is cut. Keys of every unit are served from the mirror, and the screen says how old it is."
    )
    await scene.network("cut")
    await scene.skip(7200)
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.pin(1001)
    await scene.see("ready")
    await scene.age(7200)
    await scene.pull()
    await scene.lock(5001, 140, 3, "opened", record=True)
    await scene.switch_on(5006, 1008)
    await scene.lock(5006, 170, 4, "opened")

    await scene.say("Meanwhile Bertil gets a new PIN, and switches his key on at a station that knows it.")
    await scene.station(2)
    await scene.manage("new-pin", 1002)
    await scene.switch_on(5002, 1002)

    await scene.say(
        "The station without a network has the old PIN, but the key brings the newer permit, which stays on it."
    )
    await scene.station(1)
    await scene.skip(60)
    await scene.insert(5002)
    await scene.see("prompt")
    await scene.pin(1002)
    await scene.see("ready")
    await scene.file(5002, "permit", "unwritten")
    await scene.pull()

    await scene.say(
        "After six days Karin's permit is over: it ends with her employment, and the station knows that by itself."
    )
    await scene.skip(518400)
    await scene.insert(5009)
    await scene.see("prompt")
    await scene.pin(1011)
    await scene.see("refused", "permit_expired")
    await scene.file(5009, "act", "empty")
    await scene.pull()

    await scene.say(
        "Ten days without central, and a clock that nothing confirms: it can only switch keys off, and says "
        "so before a key is in."
    )
    await scene.skip(345600)
    await scene.see("empty", "clock")
    await scene.insert(5001)
    await scene.see("refused", "clock")
    await scene.type("*123456#")
    await scene.digits(0)
    await scene.never("checking")
    await scene.pull()
    await scene.see("out_off")
    await scene.lock(5001, 140, 3, "not_active")

    await scene.say(
        "A clock that the kernel calls synchronised is believed; the mirror is too old all the same. The "
        "key's records stay."
    )
    await scene.skip(60)
    await scene.ntp("on")
    await scene.see("empty", "mirror_too_old")
    await scene.insert(5001)
    await scene.see("refused", "mirror_too_old")
    await scene.never("prompt")
    await scene.pull()
    await scene.see("out_off")
    await scene.file(5001, "sync", "unwritten")
    await scene.file(5001, "cert", "unwritten")
    await scene.file(5001, "sync", "there")
    await scene.ntp("off")

    await scene.say(
        "The network is back: the station works as before, and central hears what happened in the ten days."
    )
    await scene.skip(60)
    await scene.network("restored")
    await scene.see("empty")
    await scene.event("central_lost")
    await scene.event("central_back")
    await scene.event("key_activated", 5001)
    await scene.event("key_activated", 5006)
    await scene.event("key_deactivated", 5001)
    await scene.event("key_refused", 5001, "station")
    await scene.insert(5001)
    await scene.see("prompt")
    await scene.log(140, 5001, 1001)
    await scene.pin(1001)
    await scene.see("ready")
    await scene.age(0)
    await scene.pull()
    await scene.lock(5001, 140, 3, "opened")

    await scene.say("The program is restarted without a network: the machine has run on, and central's time with it.")
    await scene.network("cut")
    await scene.restart()
    await scene.switch_on(5001, 1001)

    await scene.say("A power cut without a network: no trusted clock, no activation. Switching off works.")
    await scene.power("cut")
    await scene.power("back")
    await scene.see("empty", "clock")
    await scene.insert(5001)
    await scene.see("refused", "clock")
    await scene.never("prompt")
    await scene.pull()
    await scene.see("out_off")
    await scene.light(5001, "blue_blinking")
    await scene.lock(5001, 140, 3, "not_active")

    await scene.say("With a clock that NTP keeps it goes on from the mirror on disk.")
    await scene.skip(60)
    await scene.ntp("on")
    await scene.see("empty")
    await scene.switch_on(5001, 1001)

    await scene.say("With central's signed time it needs no NTP.")
    await scene.skip(60)
    await scene.ntp("off")
    await scene.see("empty", "clock")
    await scene.network("restored")
    await scene.see("empty")
    await scene.switch_on(5001, 1001)
    await scene.lock(5001, 140, 3, "opened")
