"""Every code of a refusal, for `docs/errors.md` and for `/docs/errors`, where `type` leads."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from api.problems import phrase
from ledger.rejections import Rejection, TooMuchContention
from ledger.repeats import RecordedRefusal

_HEAD: Final = """\
# Errors

Every refusal is `application/problem+json`:

```json
{"type": "/docs/errors#insufficient_balance", "title": "Unprocessable Content", "status": 422,
 "detail": "The available balance is 6; 10 was asked for.", "code": "insufficient_balance",
 "message": "The available balance is 6; 10 was asked for.",
 "errors": {"amount": ["The available balance is 6; 10 was asked for."]}, "available": 6}
```

`code` never changes its meaning. `errors` names the fields at fault. `message` is the detail, but
`Unauthenticated.` with 401.

Final under an `Idempotency-Key` is what the ledger decided: the codes marked **decided**. Try again
under a new key. All others are not kept: mend the request and send it under the same key.

This page is made from the code: `python -m api.error_catalogue > docs/errors.md`.
"""

_OURS: Final = """
400 bad_request: The request can't be read. | Look at it as it was sent.
400 body_not_json: The body is not JSON, or not UTF-8; `NaN` and `Infinity` are not JSON. | Look at the place the detail names.
400 invalid_idempotency_key: The key is empty, too long, not printable ASCII, or there are two. | Send one of 1 to 255 characters.
400 invalid_if_match: `If-Match` is no ETag of ours. | Send the `ETag` of the answer you have read, or `*`.
401 unauthenticated: No token, or one that is unknown or revoked. | Send `Authorization: Bearer …`; `ledger token create` makes a token.
403 forbidden: The token lacks the scope the detail names, or grants what it may not do itself. | Use a token that has it.
404 not_found: There is nothing at this path. | Look at the path.
405 method_not_allowed: This path has no such method. | See the `Allow` header.
413 body_too_large: The body is larger than 1 MiB (a batch: 4 MiB, an import: 16 MiB), or has too many values. | Send it in parts.
404 journal_line_not_found: No such line in the profile's journal. | Look at the id.
404 token_not_found: There is no such token. | Look at the id.
404 user_not_found: There is no such user of the console. | Look at the name.
404 import_not_found: There is no such import, or its rejected rows are forgotten. | Look at the id; send the file again.
409 last_administrator: After it nobody could administer access any more. | Make another admin, or another token for everything, first.
409 user_exists: There is a user of the console of this name. | Change that one, or choose another name.
409 import_not_checked: The check of the import is not over, or it has failed. | Read it until its `phase` is `checked`.
404 transaction_claim_not_found: No such claim of this profile. | Look at the id.
409 identity_ambiguous: Without a handle, several profiles may be meant. | Name the handle.
422 body_not_an_object: The body is JSON, but no object. | Send `{…}`.
422 body_too_deep: Objects and lists are nested too deep. | Nest them less deep.
422 command_too_large: One event would be larger than the ledger keeps (512 KiB). | Send less, `meta` above all.
422 duplicate_key: An object has a key twice, and readers differ in which one counts. | Send each key once.
422 number_out_of_range: A number is too large or too long to be kept exactly everywhere. | Send a smaller one, or quote it where text is allowed.
422 unstorable_text: A text has a NUL character or an unpaired surrogate. | Remove it.
422 unknown_command: Over Kafka only: there is no command of the record's `ce_type`. | Look at the type; docs/kafka.md lists them.
422 validation_failed: Fields or parameters are missing, unknown, or not what they should be. | Mend what `errors` names.
500 internal_error: A mistake of ours. | Repeat the request with the same key; report it.
503 outcome_unknown: No answer came in time: the command may have been accepted. `idempotency_key` says which one it had. | Repeat it with the same key to learn its outcome; without a key, look before you repeat it.
503 overloaded: Too many commands or passwords are waiting; nothing was accepted. | Repeat it after `Retry-After` seconds.
503 queue_unavailable: Kafka can't be reached, or gave no answer in time. | Repeat it after `Retry-After` seconds, with the same key: it is done once.
503 read_model_parked: A list can't show this yet: an event stopped it. | Repeat it later; the operator finds the cause with `ledger doctor`.
503 unavailable: The database can't be reached; nothing was accepted. | Repeat it after `Retry-After` seconds, with the same key.
"""  # noqa: E501

_REMEDIES: Final = {
    "already_captured": "Nothing is left to do; a reversal or return gives value back.",
    "already_extended": "Issue another reward.",
    "already_reversed": "Nothing is left to do.",
    "amount_exceeds_transaction_total": "Redeem at most what the sale comes to.",
    "capture_exceeds_hold": "Capture at most `held`.",
    "conflict": "Repeat it, with the same key.",
    "currency_frozen": "Leave the currency as it is; another currency is another database.",
    "external_id_taken": "Choose another `external_id`, or read what has this one.",
    "handle_taken": "Choose another handle.",
    "hold_lapsed": "Redeem again.",
    "hold_released": "Redeem again.",
    "hold_too_long": "Hold for at most `hold_max_seconds`.",
    "identity_not_found": "Look at the id.",
    "identity_taken": "Look the profile up that has it; detach it there, or merge the two.",
    "idempotency_key_reused": "Choose a new key for a new request.",
    "insufficient_balance": "Ask for at most `available`, or send `strict: false`.",
    "invalid_amount": "Round the amount to the currency's decimals.",
    "invalid_reward_definition": "Mend what the detail names.",
    "invalid_reward_terms": "Mend the value or time the detail names.",
    "invalid_transaction": "Mend the amount or time the detail names.",
    "limit_exceeded": "Ask somebody whose token has the scope `exceed-limits`.",
    "linked_redemption_not_found": "Name a redemption; returns and reversals pay for nothing.",
    "not_held": "Reverse or return it instead.",
    "max_per_profile_reached": "Issue under another definition.",
    "max_total_reached": "Issue under another definition, or raise its `max_total`.",
    "not_eligible": "Issue under another definition; its `eligibility` says who may have this one.",
    "not_reversible": "Redeem again instead.",
    "precondition_failed": "Read it again, and decide again with its new `ETag`.",
    "profile_closed": "Restore the profile first, if it is to go on.",
    "profile_exists": "Change it with `PUT /profiles/{id}`.",
    "profile_merged": "Use the profile `merged_into` names.",
    "profile_not_found": "Look at the id; a profile begins with its first reward or sale.",
    "profile_too_large": "Ask the operator.",
    "redemption_already_linked": "Redeem again, or name the redemption that is meant.",
    "redemption_announced_elsewhere": "Send the sale under the `external_id` it was announced by.",
    "redemption_given_back": "Redeem again and link that one.",
    "redemption_held": "Capture it, or release it.",
    "redemption_linked": "Void the transaction.",
    "redemption_not_found": "Look at the id.",
    "redemption_partly_returned": "Return the rest.",
    "redemption_profile_mismatch": "Name a redemption of the transaction's own profile.",
    "return_exceeds_redemption": "Return at most `returnable`.",
    "reversal_window_closed": "Return it.",
    "reward_definition_ended": "Issue under another definition, or move its `end_at`.",
    "reward_definition_not_assignable": "Issue under another definition, or make it assignable.",
    "reward_definition_not_found": "Look at the id or handle.",
    "reward_expired": "Extend it, or issue another.",
    "reward_held": "Leave at least `held`, or capture or release what is held first.",
    "reward_not_extendable": "Issue another reward.",
    "reward_revoked": "Issue another reward.",
    "reward_definition_not_started": "Issue it later, or move the definition's `start_at`.",
    "reward_not_found": "Look at the id; `?include=revoked` shows a revoked one.",
    "reward_not_reassignable": "Issue another reward instead.",
    "same_profile": "Name two profiles.",
    "strategy_not_redeemed": "Leave `strategies` out, or name those that paid.",
    "receipt_claimed": "Nothing is left to claim; who bought it can ask the shop.",
    "receipt_contested": "Look at the receipt; ask the shop.",
    "return_exceeds_sale": "Bring back what is left of the sale, and name its lines as it did.",
    "transaction_has_redemptions": "Void the transaction, or leave it where it is.",
    "transaction_has_returns": "Leave the lines out, or void the return first.",
    "transaction_id_mismatch": "Send one of the two names, or both of one transaction.",
    "transaction_profile_mismatch": "Unattach it from the profile that has it, then attach it.",
    "transaction_redemption_mismatch": "Leave `redemption_id` out; `PUT` with it alone links more.",
    "transaction_not_found": "Look at the id.",
    "transaction_total_required": "State `transaction_total`, before rewards.",
    "too_many_identities": "Detach those that are not used.",
    "transaction_void": "Record a new transaction.",
    "unsupported_currency": "Leave `currency` out, or give the programme's.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One code under one status."""

    code: str
    status: int
    meaning: str
    remedy: str
    decided: bool = False


def entries() -> list[Entry]:
    """All codes, by name."""
    return sorted([*_ours(), *_of_the_ledger()], key=lambda entry: (entry.code, entry.status))


def page() -> str:
    """The document."""
    parts = [_HEAD]
    code = ""
    for entry in entries():
        if entry.code != code:
            parts.append(f"\n## {entry.code}\n")
        code = entry.code
        decided = ", **decided**" if entry.decided else ""
        status = f"{entry.status} {phrase(entry.status)}"
        parts.append(f"\n{status}{decided}. {entry.meaning}\n{entry.remedy}\n")
    return "".join(parts)


def html() -> str:
    """The same for a browser, with the anchors `type` names."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Errors</title><h1>Errors</h1>"
    ]
    for entry in entries():
        said = f"{entry.status} {phrase(entry.status)}. {entry.meaning} {entry.remedy}"
        parts.append(f"<h2 id={entry.code}>{entry.code}</h2><p>{escape(said)}</p>")
    return "".join(parts)


def _ours() -> Iterator[Entry]:
    for line in _OURS.strip().splitlines():
        status, rest = line.split(" ", 1)
        code, text = rest.split(": ", 1)
        meaning, remedy = text.split(" | ")
        yield Entry(code, int(status), meaning, remedy)


def _of_the_ledger() -> Iterator[Entry]:
    for rejection in _subclasses(Rejection):
        if rejection is not RecordedRefusal:
            meaning = " ".join((rejection.__doc__ or "").split())
            decided = rejection is not TooMuchContention
            remedy = _REMEDIES[rejection.code]
            yield Entry(rejection.code, rejection.status, meaning, remedy, decided)


def _subclasses(cls: type[Rejection]) -> Iterator[type[Rejection]]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


if __name__ == "__main__":
    sys.stdout.write(page())
