"""Personal data out of text: e-mail addresses, card numbers, IBANs and phone numbers become
⟨email⟩, ⟨card⟩, ⟨iban⟩, ⟨phone⟩; article numbers, prices, dates and titles stay.
"""

from stream.chain.scrub.scrubber import scrub

__all__ = ["scrub"]
