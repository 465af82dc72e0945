"""Writes ``docs/reference/rules.md``: each rule of a visit, the test that holds it, the step of a scenario that shows it.

    python -m tools.pages.rules

A test holds the committed page to what this makes of `RULES`; others look whether every test is there, and every step
in what the scenario prints.
"""

# ruff: noqa: E501 (a row is a row)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``chapter`` is the scenario's name and how the heading begins under which it prints ``step``."""

    says: str
    test: str
    chapter: str
    step: str

    @property
    def scenario(self) -> str:
        """The name of the scenario that shows it."""
        return self.chapter.partition(": ")[0]

    def is_shown(self, printed: str) -> bool:
        """Whether there is such a step under that heading in what the scenario prints."""
        _, _, heading = self.chapter.partition(": ")
        under = False
        for line in printed.splitlines():
            if line and not line.startswith(" "):  # the day and the time, two spaces, the heading
                under = line.partition("  ")[2].startswith(heading)
            elif under and line.partition("->")[0].strip() == self.step:
                return True
        return False


ACCESS = "tests/rules/test_access.py::"
ATTEMPTS = "tests/rules/test_attempts.py::"
BOX = "tests/services/test_activation_box.py::"
CLOCK = "tests/rules/test_clock.py::"
LOG = "tests/services/test_key_log_reader.py::"
REFRESH = "tests/services/test_refreshing.py::"
REFUSALS = "tests/visit/test_refusals.py::"
RETURNS = "tests/visit/test_returns.py::"
SHIFT = "tests/visit/test_shift.py::"
SHOWING = "tests/display/test_snapshot.py::"
LINKS = "tests/drivers/test_bad_links.py::"
UPDATE = "tests/services/test_update_box.py::"
VISITS = "tests/services/test_visits.py::"
PINS_IN_VISITS = "tests/services/test_pins_in_visits.py::"
FILES_ON_KEYS = "tests/services/test_files_on_keys.py::"
READER = "tests/drivers/test_reader.py::"

RULES: Mapping[str, Sequence[Rule]] = {
    "1. Off first": [
        Rule("A key that is put in is switched off at once, before anything else.",
             FILES_ON_KEYS + "test_act_is_cleared_first_and_written_last_and_both_are_read_back", "morning: Her shift ends", "lock 5001 140 3 not_active"),
        Rule("What fails later leaves it off.",
             SHIFT + "test_an_activation_that_failed", "bounce: Pulled while it was written, and", "lock 5001 140 3 not_active"),
        Rule("The prompt says both: it is off, and how to start.",
             SHOWING + "test_a_line_for_every_phase", "morning: Anna's shift begins", "see prompt"),
        Rule("A station that can only switch off says so before a key is in.",
             REFUSALS + "test_a_station_that_can_only_switch_off", "offline: Ten days", "see empty clock"),
        Rule("So does one that cannot talk to keys.",
             RETURNS + "test_a_reader_that_fails_ends_everything_and_the_next_key_begins_anew",
             "bounce: The key reader goes away", "see reader_broken"),
    ],
    "2. The mirror": [
        Rule("Central is asked while the key is read; only the decision after # waits, and only for a moment.",
             REFRESH + "test_only_the_first_waits_for_a_central_that_hangs", "offline: Central answers slowly", "see ready"),
        Rule("Nobody waits for a network that is known to be dead.",
             REFRESH + "test_nobody_waits_for_a_central_known_to_be_dead", "morning: The network is gone", "see ready"),
        Rule("The mirror decides, and the screen shows its age.",
             SHOWING + "test_the_stations_own_status", "offline: The network is cut", "age 7200"),
        Rule("A mirror older than the policy's days activates nothing.",
             ACCESS + "test_an_off_only_station_activates_nothing_but_judges_the_pin_first",
             "offline: A clock that the kernel", "see refused mirror_too_old"),
        Rule("News reach the key in the socket: it may be refused, or get its prompt back.",
             REFUSALS + "test_news_refuse_a_key_at_the_prompt", "refusals: What central says", "see refused blocked"),
    ],
    "3. The PIN": [
        Rule("The PIN alone finds the person: the same one in the own, a substitute or an emergency key.",
             ACCESS + "test_permanent_and_long_term_staff_may_activate_an_emergency_key", "pools: An emergency key", "pin 1001"),
        Rule("It is compared by a tag that is worth nothing without the pepper.",
             "tests/records/test_pins.py::test_salt_and_pepper_and_every_parameter_count",
             "pools: A substitute key", "see ready"),
        Rule("Central makes PINs, of six digits that nobody guesses first; a new one ends the old.",
             "tests/central/signing/test_permits.py::test_pins_have_as_many_digits_as_the_site_wants_and_are_not_guessable",
             "pools: A new PIN works", "see ready"),
    ],
    "4. Who may activate what": [
        Rule("A personal key: its holder.",
             ACCESS + "test_its_holder_may_activate_a_personal_key", "morning: Anna's shift begins", "see ready"),
        Rule("A colleague's right PIN is a wrong PIN there.",
             ACCESS + "test_a_colleagues_right_pin_is_a_wrong_pin", "morning: A wrong PIN", "pin 1002"),
        Rule("A substitute key: hourly staff with a permit for its unit.",
             ACCESS + "test_hourly_staff_may_activate_a_substitute_key_of_a_unit_they_have_a_permit_for",
             "pools: A substitute key", "see ready"),
        Rule("The permit is the one for the key's unit; there is no falling back to another.",
             ACCESS + "test_the_permit_is_that_of_the_keys_unit_without_fall_back",
             "pools: David has no permit", "event key_refused 5034 no_permit"),
        Rule("A withdrawn permit is gone, whatever copy a key carries.",
             ACCESS + "test_a_withdrawn_permit_does_not_live_on_in_the_copy_on_the_key",
             "pools: A permission is withdrawn", "see wrong_pin wrong_pin"),
        Rule("An emergency key: permanent and long-term staff, of any unit.",
             ACCESS + "test_an_emergency_key_of_another_unit_serves_too", "pools: An emergency key", "lock 5044 170 4 opened"),
        Rule("The event is the receipt: taken with the holder, returned at a station of its own unit.",
             SHIFT + "test_a_pool_key_is_returned_at_its_own_units_station", "pools: Handed in", "event pool_key_returned 5031"),
        Rule("Permanent staff get no substitute key: their PIN looks like one that nobody has, and counts.",
             REFUSALS + "test_a_right_pin_that_may_not_use_a_pool_key_looks_like_one_that_nobody_has",
             "pools: A permanent employee's", "see wait wrong_pin"),
        Rule("Hourly staff get no emergency key.",
             ACCESS + "test_hourly_staff_may_not_take_an_emergency_key", "pools: Hourly staff get no", "event key_refused 5044 not_permanent"),
        Rule("Closed units keep to themselves, both ways.",
             ACCESS + "test_closed_units_keep_to_themselves_and_an_unknown_unit_may_be_closed",
             "pools: … and others'", "see wrong_pin wrong_pin"),
        Rule("A blocked, unknown or returned key is refused before any PIN.",
             REFUSALS + "test_refused_before_any_pin", "refusals: Refused before any PIN", "see refused blocked"),
        Rule("So is the key of a holder who has ended.",
             ACCESS + "test_refused_before_any_pin", "refusals: Refused before any PIN", "see refused holder_ended"),
        Rule("The PIN of somebody who has ended is nobody's.",
             ACCESS + "test_a_pin_that_nobody_has_and_one_of_somebody_who_left_read_the_same",
             "pools: The PIN of somebody who has left", "see wrong_pin wrong_pin"),
        Rule("Switching off is always allowed: any key, anyone, any station.",
             REFUSALS + "test_a_station_that_can_only_switch_off", "offline: A power cut", "lock 5001 140 3 not_active"),
        Rule("A station serves keys of every unit, also without a network.",
             ACCESS + "test_an_emergency_key_of_another_unit_serves_too", "offline: The network is cut", "lock 5006 170 4 opened"),
    ],
    "5. Wrong PINs": [
        Rule("An attempt is counted before the PIN is looked at; one that cannot be counted is not looked at.",
             PINS_IN_VISITS + "test_the_count_is_on_the_disk_before_the_pin_is_looked_at", "refusals: A restart forgets", "see wait"),
        Rule("From the fourth on there is a wait that grows, shown as a countdown.",
             ATTEMPTS + "test_the_wait_grows_from_the_fourth_failure", "refusals: … from the fourth", "wait 15"),
        Rule("It runs on while the key is out; the next person is served meanwhile.",
             REFUSALS + "test_the_wait_runs_on_while_the_key_is_out_and_another_is_served",
             "refusals: The wait is the key's", "see ready"),
        Rule("After a restart the whole wait runs again.",
             PINS_IN_VISITS + "test_after_a_restart_the_whole_wait_runs_again", "refusals: A restart forgets", "wait 30"),
        Rule("A PIN typed during the wait does not count.",
             REFUSALS + "test_a_pin_typed_ahead_during_the_wait_does_not_count", "refusals: … from the fourth", "never ready"),
        Rule("The tenth locks the key, at every station.",
             ATTEMPTS + "test_the_tenth_failure_locks", "refusals: At the tenth", "see refused locked"),
        Rule("Central tells the others; a coordinator unlocks it.",
             REFUSALS + "test_central_unlocks", "refusals: A coordinator unlocks", "see prompt"),
        Rule("A right PIN forgives all on a personal key …",
             ATTEMPTS + "test_a_right_pin_on_a_personal_key_takes_back_all", "refusals: On a personal key", "never wait"),
        Rule("… and only itself on a shared one.",
             ATTEMPTS + "test_a_right_pin_on_a_pool_key_takes_back_its_own", "pools: On a shared key", "see wait"),
        Rule("On a shared key failures fade after a day.",
             ATTEMPTS + "test_failures_on_a_pool_key_fade_after_a_day", "pools: After a day", "see wrong_pin"),
        Rule("One wording for every wrong PIN, and the same work for one that nobody has.",
             REFUSALS + "test_one_wording_for_every_wrong_pin", "morning: A wrong PIN", "see wrong_pin wrong_pin"),
    ],
    "6. The clock": [
        Rule("No activation without a trusted clock.",
             ACCESS + "test_an_untrusted_clock_activates_nothing_even_if_nobody_told",
             "offline: A power cut", "see refused clock"),
        Rule("Central's signed time counts on in this boot, for as long as the mirror may be old.",
             CLOCK + "test_holdover_ends", "offline: Ten days", "see empty clock"),
        Rule("A restart of the program leaves it as it is …",
             "tests/supervisor/test_time_over_restarts.py::test_0_and_2_during_an_outage_leave_the_time_as_it_was",
             "offline: The program is restarted", "see ready"),
        Rule("… a restart of the machine ends it.",
             CLOCK + "test_after_a_reboot_signed_time_is_over", "offline: A power cut", "see empty clock"),
        Rule("A kernel that NTP keeps is believed where the site says so.",
             CLOCK + "test_ntp_where_the_site_trusts_it", "offline: With a clock that NTP keeps", "see ready"),
        Rule("What central has signed rejects an earlier clock, and confirms none.",
             CLOCK + "test_the_floor_rejects_an_unsigned_clock", "offline: With central's signed time", "see empty clock"),
    ],
    "7. Ready": [
        Rule("The activation is written last and read back; only then the screen says ready.",
             FILES_ON_KEYS + "test_act_is_cleared_first_and_written_last_and_both_are_read_back", "morning: Anna's shift begins", "see ready"),
        Rule("Until when: eleven hours, or earlier, and then why.",
             REFUSALS + "test_the_receipt_says_why_it_ends_early", "refusals: Fredrik works", "see ready window"),
        Rule("Windows that meet at midnight count as one.",
             "tests/rules/test_windows.py::test_vector", "refusals: … and at 23", "see ready window"),
        Rule("Outside the windows: nothing.",
             ACCESS + "test_windows_are_in_the_sites_time", "refusals: … and at 23", "see refused outside_window"),
        Rule("Nor with a permit that is over.",
             ACCESS + "test_a_permit_that_is_not_in_force_now", "offline: After six days", "see refused permit_expired"),
        Rule("The receipt says how many areas and boxes, and how old the data is.",
             SHOWING + "test_the_receipt_names_areas", "morning: The network is gone", "age 900"),
    ],
    "8. The keypad and the contact": [
        Rule("Digits count from the insertion on.",
             SHIFT + "test_even_the_whole_of_it_before_the_prompt", "bounce: Typed before the prompt", "see ready"),
        Rule("`*` begins again, Backspace takes one back.",
             SHIFT + "test_star_and_backspace_at_the_prompt", "bounce: A slip", "see ready"),
        Rule("More than 3 s away clears them …",
             RETURNS + "test_three_seconds", "bounce: Away for more", "digits 0"),
        Rule("… and so do 20 s without a keystroke.",
             SHIFT + "test_an_entry_left_alone_for_twenty_seconds_is_gone", "bounce: Away for more", "skip 21"),
        Rule("An interrupted write goes on within 5 s, without typing again.",
             RETURNS + "test_an_interrupted_activation_goes_on_without_retyping", "bounce: Pulled while it was written: it", "never prompt"),
        Rule("Not later.",
             RETURNS + "test_not_after_five_seconds", "bounce: Pulled while it was written, and", "never ready"),
        Rule("The next key replaces any receipt.",
             SHIFT + "test_the_next_key_replaces_the_receipt", "bounce: Another key instead", "key-shown 5002"),
    ],
    "The key link, 1 to 3: presence, off, who it is": [
        Rule("A key is seen within a quarter of a second; one that sleeps is none.",
             READER + "test_a_sleeping_key_is_no_key_until_it_is_pressed", "morning: Anna's shift begins", "insert 5001"),
        Rule("The activation is read, cleared and read back, whatever else is wrong with station or key.",
             VISITS + "test_a_key_that_cannot_be_cleared_stays_on_and_the_screen_says_until_when", "offline: Ten days", "see out_off"),
        Rule("A key that does not say which it is, is off.",
             SHIFT + "test_a_key_that_does_not_say_which_it_is", "refusals: A blank key", "see blank"),
        Rule("A key that has lost power is told from a new one, and its clock is set.",
             FILES_ON_KEYS + "test_a_key_that_lost_power_gets_the_time_and_says_so_once", "bounce: A key that has lost power", "event key_power_lost 5001"),
    ],
    "The key link, 4: while the person types": [
        Rule("The log is read from where it was known, and each entry reported once with its holder.",
             LOG + "test_two_holders_of_one_pool_key", "pools: The log tells", "log 140 5031 1005"),
        Rule("Two stations that read the same entries report the same events.",
             LOG + "test_two_stations_that_read_the_same_entries_report_the_same_events",
             "pools: Another station reads", "no-event lock_opened 5031"),
        Rule("`sync` is for keys that deserve it: it is cleared when a key turns out not to qualify …",
             FILES_ON_KEYS + "test_sync_is_cleared_when_the_key_does_not_qualify", "refusals: What central says", "file 5007 sync empty"),
        Rule("… and left alone by a station that cannot activate for reasons of its own.",
             FILES_ON_KEYS + "test_a_station_that_can_only_switch_off_leaves_sync_alone", "offline: A clock that the kernel", "file 5001 sync unwritten"),
        Rule("A permit of the same holder is never replaced by an older one; the newer one's PIN counts.",
             FILES_ON_KEYS + "test_a_newer_permit_on_the_key_is_kept_and_its_pin_is_the_one_that_counts",
             "offline: The station without a network", "file 5002 permit unwritten"),
        Rule("A newer blocklist on a key is adopted.",
             FILES_ON_KEYS + "test_a_newer_blocklist_is_taken_from_a_key_and_carried_on", "refusals: A station without a network", "see refused blocked"),
        Rule("A shared key's permit is written once the PIN has told who it is.",
             FILES_ON_KEYS + "test_a_pool_key_gets_the_permit_of_whoever_typed",
             "pools: Elin takes the same key", "file 5031 permit written"),
    ],
    "The key link, 5 to 7: activation, removal, left in": [
        Rule("Whatever is interrupted leaves a key that opens nothing.",
             LINKS + "test_pulled_in_the_middle_of_a_write_and_put_back", "bounce: Pulled while it was written: it", "lock 5001 140 3 not_active"),
        Rule("A key that is pulled is told plainly what it is.",
             SHOWING + "test_a_line_for_every_phase_that_a_key_is_pulled_in", "bounce: Pulled while it was written: it", "see out_unsure"),
        Rule("Back within 3 s, the same key goes on, digits and all.",
             RETURNS + "test_a_bounce_goes_on_with_the_digits", "bounce: It bounces at the prompt", "digits 6"),
        Rule("After ready such a bounce writes nothing.",
             VISITS + "test_a_bounce_after_ready_writes_nothing", "bounce: Then it bounces", "file 5001 any unwritten"),
        Rule("Another key is a new visit; nothing typed counts for it.",
             RETURNS + "test_a_swapped_key_is_a_new_visit_and_no_digits_count", "bounce: Another key instead", "digits 0"),
        Rule("Left in for two minutes after ready, it is switched off.",
             VISITS + "test_left_in_it_is_off_again_and_on_record", "bounce: Left in", "see left_in"),
    ],
    "Boxes, and days without a network": [
        Rule("An activation box goes by what is on the key, and what it activates opens.",
             BOX + "test_a_key_that_a_station_has_synchronised_is_activated_and_opens", "boxes: Prepared by a station", "lamp green"),
        Rule("What it refuses it refuses with the reason, the second time too.",
             BOX + "test_refused_twice_in_a_row_with_the_same_reason", "boxes: The activation box", "see refused clock_unset"),
        Rule("It switches on nothing that no up-to-date station has vouched for in ten days.",
             "tests/rules/test_box.py::test_to_the_second", "crisis: Nor does the box", "see refused synced_too_long_ago"),
        Rule("Its events come with the next `station sync`.",
             "tests/services/test_box_handover.py::test_its_events_are_handed_over_and_of_the_mirror_nothing_about_people_is_kept",
             "crisis: The box is connected", "sync"),
        Rule("An update box renews the personal keys of its unit, without a PIN …",
             UPDATE + "test_the_insertion_renews_until_the_active_time_is_over", "boxes: The update box", "see ready"),
        Rule("… and no others, the second time neither.",
             UPDATE + "test_refused_twice_in_a_row", "boxes: Another unit's key", "see refused other_unit"),
        Rule("After a power cut, signed time is over …",
             CLOCK + "test_after_a_reboot_signed_time_is_over", "crisis: Power is back", "see empty clock"),
        Rule("… and a battery-backed clock goes on where the site trusts it.",
             CLOCK + "test_rtc_where_the_site_trusts_it", "crisis: Station 1's clock", "see ready"),
        Rule("After all of it every event is at central once, and the opening log is what the locks wrote.",
             "tests/demo/test_scenarios.py::test_scenario", "crisis: The books", "reconciled"),
    ],
}  # fmt: skip

_HEAD = """\
# The rules of a visit

Generated by `python -m tools.pages.rules`; not to be edited by hand. Each rule, a test that fails when it is
broken (`pytest NODE`), and a scenario with the chapter and step that show it (`station demo --script NAME`).
"""


def page() -> str:
    """The whole page as text."""
    parts = [_HEAD]
    for title, rules in RULES.items():
        parts.append(f"\n## {title}\n\n| rule | test | scenario |\n|---|---|---|\n")
        for rule in rules:
            _, _, heading = rule.chapter.partition(": ")
            parts.append(f"| {rule.says} | `{rule.test}` | `{rule.scenario}`, *{heading} …*: `{rule.step}` |\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
