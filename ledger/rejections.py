"""Every way the ledger says no. A refusal writes no event and has a stable code."""

from typing import Any, ClassVar


class Rejection(Exception):
    """A refused command. `status` is the HTTP status, `code` never changes its meaning.

    `facts` are what a program may want to know of it, told alike over HTTP and Kafka: amounts as
    decimals of the currency, whole numbers, text.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str]
    field: str | None = None
    """The field of the request the refusal is about, where it is one."""

    def __init__(self, detail: str, *, field: str | None = None, **facts: Any) -> None:
        super().__init__(detail)
        if field is not None:
            self.field = field
        self.detail = detail
        self.facts = facts


class InvalidAmount(Rejection):
    """The amount has more decimals than the programme's currency."""

    status = 422
    code = "invalid_amount"
    field = "amount"


class CurrencyFrozen(Rejection):
    """The programme has amounts already, and they are in its currency."""

    code = "currency_frozen"
    field = "currency"


class InsufficientBalance(Rejection):
    """The balance can't pay; `available` says what there is."""

    status = 422
    code = "insufficient_balance"
    field = "amount"


class LimitExceeded(Rejection):
    """More than staff may issue, return or adjust at once; `limit` says how much that is."""

    status = 403
    code = "limit_exceeded"


class TransactionTotalRequired(Rejection):
    """Some rewards pay only for a sale whose total is known, and without them it is too little."""

    status = 422
    code = "transaction_total_required"
    field = "transaction_total"


class AmountExceedsTransactionTotal(Rejection):
    """More than the sale is worth."""

    status = 422
    code = "amount_exceeds_transaction_total"
    field = "amount"


class UnsupportedCurrency(Rejection):
    """The programme keeps another currency."""

    status = 422
    code = "unsupported_currency"
    field = "currency"


class HoldTooLong(Rejection):
    """The programme allows no hold as long as that; `hold_max_seconds` says how long."""

    status = 422
    code = "hold_too_long"
    field = "hold"


class UnknownProfile(Rejection):
    """No account with this id has been registered."""

    status = 404
    code = "profile_not_found"


class ProfileExists(Rejection):
    """The profile is known already, if only by a reward or a sale."""

    code = "profile_exists"
    field = "profile_id"


class ProfileClosed(Rejection):
    """The profile is deleted: it gives and takes nothing until it is restored."""

    code = "profile_closed"


class UnknownIdentity(Rejection):
    """The profile has no such identity."""

    status = 404
    code = "identity_not_found"


class IdentityTaken(Rejection):
    """Handle and identifier together belong to a profile already, this one or another."""

    code = "identity_taken"
    field = "identifier"


class TooManyIdentities(Rejection):
    """The profile has as many identities as one may have."""

    code = "too_many_identities"


class UnknownNamedProfile(UnknownProfile):
    """A field of the request names a profile that does not exist."""

    status = 422

    def __init__(self, detail: str, field: str) -> None:
        super().__init__(detail)
        self.__dict__["field"] = field


class SameProfile(Rejection):
    """Both profiles are one: by their ids, or because one has become the other."""

    status = 422
    code = "same_profile"


class AlreadyMerged(Rejection):
    """The profile has become another one, and that is final; `merged_into` says which."""

    code = "profile_merged"


class ProfileTooLarge(Rejection):
    """A profile with so many rewards and redemptions can't be merged in one step."""

    code = "profile_too_large"


class UnknownDefinition(Rejection):
    """No reward definition with this id or handle."""

    status = 422
    code = "reward_definition_not_found"
    field: str | None = "reward_definition_id"


class NoSuchDefinition(UnknownDefinition):
    """The definition addressed by the path does not exist."""

    status = 404
    field = None


class DefinitionNotAssignable(Rejection):
    """The definition is archived, or says that nothing is issued under it."""

    code = "reward_definition_not_assignable"


class InvalidDefinition(Rejection):
    """Terms of the definition contradict each other."""

    status = 422
    code = "invalid_reward_definition"


class DefinitionNotStarted(Rejection):
    """Rewards are issued under the definition only later."""

    code = "reward_definition_not_started"


class DefinitionEnded(Rejection):
    """Rewards are no longer issued under the definition."""

    code = "reward_definition_ended"


class NotEligible(Rejection):
    """The definition's condition does not hold for this profile."""

    code = "not_eligible"


class MaxPerProfileReached(Rejection):
    """The profile has been issued as many rewards under the definition as it may ever get."""

    code = "max_per_profile_reached"


class MaxTotalReached(Rejection):
    """As many rewards have been issued under the definition as there are ever to be."""

    code = "max_total_reached"


class PreconditionFailed(Rejection):
    """It has changed since the version the request rests on: read it again."""

    status = 412
    code = "precondition_failed"


class HandleTaken(Rejection):
    """Another definition has this handle; handles are never used again."""

    code = "handle_taken"
    field = "handle"


class UnknownReward(Rejection):
    """No such reward, or it has been revoked."""

    status = 404
    code = "reward_not_found"


class RewardNotReassignable(Rejection):
    """Its definition did not allow it, nothing is left of it, or it has moved too often."""

    code = "reward_not_reassignable"


class InvalidRewardTerms(Rejection):
    """Values or times of the reward contradict each other."""

    status = 422
    code = "invalid_reward_terms"


class RewardIsHeld(Rejection):
    """A part of it is held for a redemption; `held` says how much."""

    code = "reward_held"


class RewardHasExpired(Rejection):
    """It is past its time: it can be extended, if it may, but not adjusted."""

    code = "reward_expired"


class RewardIsRevoked(Rejection):
    """It was taken back, and that is final."""

    code = "reward_revoked"


class NotExtendable(Rejection):
    """Its terms allow no extension, or it never ends."""

    code = "reward_not_extendable"


class AlreadyExtended(Rejection):
    """A reward is extended once."""

    code = "already_extended"


class UnknownRedemption(Rejection):
    """No such redemption."""

    status = 404
    code = "redemption_not_found"


class ReversalWindowClosed(Rejection):
    """Too late to reverse: a return gives value back at any time."""

    code = "reversal_window_closed"


class AlreadyReversed(Rejection):
    """The redemption has been undone before."""

    code = "already_reversed"


class RedemptionPartlyReturned(Rejection):
    """Part of it has been returned, so it can't be undone as a whole."""

    code = "redemption_partly_returned"


class RedemptionIsLinked(Rejection):
    """It paid for a transaction that lives: void that one instead."""

    code = "redemption_linked"


class RedemptionIsHeld(Rejection):
    """Its value is only held so far."""

    code = "redemption_held"


class NotHeld(Rejection):
    """Nothing was ever held: it took its value at once, or it is a return or reversal."""

    code = "not_held"


class AlreadyCaptured(Rejection):
    """What it held has been captured before."""

    code = "already_captured"


class HoldWasReleased(Rejection):
    """What it held has been released; it took nothing."""

    code = "hold_released"


class HoldHasLapsed(Rejection):
    """The deadline of the hold has passed; it took nothing."""

    code = "hold_lapsed"


class CaptureExceedsHold(Rejection):
    """More than what is held; `held` says how much that is."""

    status = 422
    code = "capture_exceeds_hold"
    field = "amount"


class StrategyNotRedeemed(Rejection):
    """The redemption took nothing by that strategy, so nothing can come back by it."""

    status = 422
    code = "strategy_not_redeemed"
    field = "strategies"


class NotReversible(Rejection):
    """A return or a reversal is final."""

    code = "not_reversible"


class ReturnExceedsRedemption(Rejection):
    """More than what is left of the redemption; `returnable` says how much that is."""

    status = 422
    code = "return_exceeds_redemption"
    field = "amount"


class UnknownTransaction(Rejection):
    """No such transaction."""

    status = 404
    code = "transaction_not_found"


class InvalidTransaction(Rejection):
    """Amounts or times of the transaction contradict each other."""

    status = 422
    code = "invalid_transaction"


class TransactionIsVoid(Rejection):
    """A void transaction stays as it is."""

    code = "transaction_void"


class TransactionProfileMismatch(Rejection):
    """The transaction is another profile's: unattach it first."""

    code = "transaction_profile_mismatch"
    field = "profile_id"


class TransactionIdMismatch(Rejection):
    """`id` and `external_id` are not of one transaction."""

    code = "transaction_id_mismatch"
    field = "external_id"


class TransactionPaidOtherwise(Rejection):
    """Another redemption paid for the transaction."""

    code = "transaction_redemption_mismatch"
    field = "redemption_id"


class TransactionHasRedemptions(Rejection):
    """A redemption of the profile paid for the transaction."""

    code = "transaction_has_redemptions"


class TransactionHasReturns(Rejection):
    """Goods of the transaction came back, or are what came back: its lines stay as they are."""

    code = "transaction_has_returns"
    field = "items"


class ReturnExceedsSale(Rejection):
    """More came back than was sold and has not come back; `transaction_id` says of which sale."""

    status = 422
    code = "return_exceeds_sale"
    field = "items"


class ReceiptClaimed(Rejection):
    """The sale of this receipt is somebody's already."""

    code = "receipt_claimed"
    field = "transaction_receipt_ref"


class ReceiptContested(Rejection):
    """So many claims wait for this receipt that no more can."""

    code = "receipt_contested"
    field = "transaction_receipt_ref"


class UnknownLinkedRedemption(Rejection):
    """The transaction names a redemption that does not exist, or that is a return or reversal."""

    status = 422
    code = "linked_redemption_not_found"
    field = "redemption_id"


class RedemptionOfAnotherProfile(Rejection):
    """Redemption and transaction belong to different profiles."""

    code = "redemption_profile_mismatch"
    field = "redemption_id"


class RedemptionLinkedElsewhere(Rejection):
    """A redemption pays for one transaction only; `transaction_id` says for which it has."""

    code = "redemption_already_linked"
    field = "redemption_id"


class RedemptionAnnouncedElsewhere(Rejection):
    """The redemption was made for another transaction, or another profile's is made for this."""

    code = "redemption_announced_elsewhere"
    field = "redemption_id"


class RedemptionGivenBack(Rejection):
    """A redemption reversed or returned in full pays for nothing."""

    code = "redemption_given_back"
    field = "redemption_id"


class ExternalIdTaken(Rejection):
    """Another request has used this external_id."""

    code = "external_id_taken"
    field = "external_id"


class IdempotencyKeyReused(Rejection):
    """The key was used for another request."""

    status = 422
    code = "idempotency_key_reused"


class TooMuchContention(Rejection):
    """Others changed the same account again and again; nothing was written, try again."""

    code = "conflict"
