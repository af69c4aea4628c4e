"""A shop with a little of everything, for pages to show."""

from typing import Any, NamedTuple
from uuid import uuid4

from command_line.ledger_command import Up


class Shop(NamedTuple):
    """What there is."""

    profile: str
    reward: int
    redemption: int
    sale: int
    definition: int

    @property
    def pages(self) -> list[str]:
        """Every page there is to look at."""
        profile = f"/profiles/{self.profile}"
        return [
            "/",
            "/?q=Lovelace&stay=1",
            "/?q=nobody-at-all",
            profile,
            f"{profile}?as_of=2026-01-01T00:00:00Z&time=recorded",
            f"{profile}/why?number=available",
            f"{profile}/why?number=held",
            f"/rewards/{self.reward}",
            f"/redemptions/{self.redemption}",
            f"/transactions/{self.sale}",
            "/definitions",
            "/definitions/new",
            f"/definitions/{self.definition}",
            f"/definitions/{self.definition}/change",
            "/programme",
            "/imports",
            "/operations",
            "/access",
            *(f"/do/{deed}/{self.profile}" for deed in ("issue", "redeem", "merge")),
            *(f"/do/{d}/{self.reward}" for d in ("extend", "adjust", "revoke", "reassign")),
            *(
                f"/do/{deed}/{self.redemption}"
                for deed in ("reverse", "link", "return", "capture", "release")
            ),
            "/nothing-here",
        ]


def opened(up: Up) -> Shop:
    """Open the shop: a profile with rewards, a redemption, a sale, a return and a hold."""
    profile, handle = f"p-{uuid4().hex[:8]}", f"gift-{uuid4().hex[:8]}"

    def made(path: str, body: dict[str, Any]) -> Any:
        answer = up.request("POST", f"/api/v3{path}", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    definition = made(
        "/rewards/definitions",
        {"name": "Gift", "handle": handle, "value": 10, "type": "gift", "period": 30},
    )
    made(
        "/profiles",
        {"id": profile, "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"},
    )
    rewards = [
        made("/rewards", {"profile_id": profile, "reward_definition_handle": handle})
        for _ in range(3)
    ]
    redeemed = made(f"/profiles/{profile}/redeem", {"amount": "12.50"})
    sold = made(
        "/transactions",
        {
            "profile_id": profile,
            "redemption_id": redeemed["id"],
            "external_id": uuid4().hex,
            "total": "29.90",
            "transacted_at": "2026-11-20 10:00:00",
            "timezone": "Australia/Melbourne",
            "items": [
                {"name": "Cake", "quantity": 1, "price_current": "19.90", "price_sell": "19.90"},
                {"name": "Coffee", "quantity": 2, "price_current": 5, "price_sell": 5},
            ],
        },
    )
    made(f"/redemptions/{redeemed['id']}/return", {"amount": 2})
    made(f"/profiles/{profile}/redeem", {"amount": 1, "hold": "PT15M"})
    return Shop(profile, rewards[0]["id"], redeemed["id"], sold["id"], definition["id"])
