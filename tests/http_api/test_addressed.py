"""A command is what its body and its path say together, as if checked in one piece."""

from typing import Any

import pytest

from api.commanding import addressed
from api.routes.reward_changes import Reassignment, Revocation
from schemas.commands import Command
from schemas.holds import CaptureRedemption, CaptureTerms
from schemas.programme import ChangeProgrammeSettings, ProgrammeSettingsChanges
from schemas.redemptions import MakeRedemption, RedemptionTerms, ReturnRedemption, ReturnTerms
from schemas.registrations import ChangeProfile, ProfileChanges
from schemas.reward_definitions import ChangeRewardDefinition, DefinitionChanges
from schemas.rewards import (
    AdjustReward,
    IssueReward,
    ReassignReward,
    RevokeReward,
    RewardChanges,
    RewardTerms,
)
from schemas.transaction_changes import ChangeTransaction, TransactionChanges
from schemas.transaction_claims import ClaimTerms, ClaimTransaction

PAIRS: list[tuple[type[Command], type[Command], set[str]]] = [
    (MakeRedemption, RedemptionTerms, {"profile_id"}),
    (ReturnRedemption, ReturnTerms, {"redemption_id"}),
    (CaptureRedemption, CaptureTerms, {"redemption_id"}),
    (IssueReward, RewardTerms, {"profile_id"}),
    (AdjustReward, RewardChanges, {"reward_id", "expected_revision"}),
    (ReassignReward, Reassignment, {"reward_id"}),
    (RevokeReward, Revocation, {"reward_id"}),
    (ChangeRewardDefinition, DefinitionChanges, {"definition_id", "expected_version"}),
    (ChangeProgrammeSettings, ProgrammeSettingsChanges, {"expected_version"}),
    (ChangeProfile, ProfileChanges, {"profile_id"}),
    (ClaimTransaction, ClaimTerms, {"profile_id"}),
    (ChangeTransaction, TransactionChanges, {"transaction_id"}),
]


@pytest.mark.parametrize(("command", "body", "path"), PAIRS)
def test_body_and_path_say_all_that_the_command_has_to_know(
    command: type[Command], body: type[Command], path: set[str]
) -> None:
    said = body.model_fields.keys() | path
    required = {name for name, field in command.model_fields.items() if field.is_required()}
    assert required <= said <= command.model_fields.keys()


def test_it_is_the_command_that_one_look_at_everything_gives() -> None:
    sent: dict[str, Any] = {"amount": "4.50", "strict": False, "meta": {"till": 7}}
    made = addressed(MakeRedemption, RedemptionTerms.model_validate(sent), profile_id="p-1")
    whole = MakeRedemption.model_validate({**sent, "profile_id": "p-1"})
    assert made == whole
    assert made.model_dump_json() == whole.model_dump_json()
    assert made.model_fields_set == whole.model_fields_set
    assert made.model_copy(update={"profile_id": "p-2"}).profile_id == "p-2"
