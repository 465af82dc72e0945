"""What the screen says of a code that was to hand out a blank key."""

from enum import StrEnum

CODE_DIGITS = 10
"""As central makes them. What has another length is no code, and goes nowhere."""


class HandOutTold(StrEnum):
    """Why the key is still blank."""

    PIN_BEGUN = "pin_begun"
    """``*`` was typed, as before a PIN: what follows is not sent."""
    NOT_A_CODE = "not_a_code"
    """Something else than ten digits was typed, and not sent."""
    BAD_CODE = "bad_code"
    CODE_SPENT = "code_spent"
    NUMBER_TAKEN = "number_taken"
    BAD_PROOF = "bad_proof"
    NO_ANSWER = "no_answer"
    """Central may have handed it out already: the same code is good once more."""
    REFUSED = "refused"
    """Central refuses this station."""
    KEY_FAULT = "key_fault"
    """The key does not take its record."""
