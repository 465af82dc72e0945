"""Why no clock is trusted, in words for whoever reads `station status` or `station doctor`."""

from station.rules.clock import ClockDoubt

CLOCK_DOUBTS = {
    ClockDoubt.NO_SOURCE: "nothing that is trusted tells the time",
    ClockDoubt.BEFORE_FLOOR: "it is before what central has signed",
    ClockDoubt.SET_BACK: "it is before what a trusted clock has shown here",
    ClockDoubt.TOO_FAR_AHEAD: "it is more than a year past what central has signed last",
}
