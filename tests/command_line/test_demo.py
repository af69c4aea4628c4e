"""The demo on a fresh folder, and once more on what it left there."""

from pathlib import Path

from command_line.ledger_command import run_ledger


def test_the_walk_gives_what_the_article_says_again_and_again(tmp_path: Path) -> None:
    arguments = ("demo", "--once", "--data-dir", str(tmp_path / "data"), "--port", "0")
    first = run_ledger(*arguments)
    assert first.returncode == 0, first.stdout + first.stderr
    assert '"handle": "birthday-reward"' in first.stdout
    assert '"reward_balance": 10' in first.stdout
    assert '"reward_balance": 0' in first.stdout
    assert '"redemption_share": 10' in first.stdout
    assert "RedemptionMade" in first.stdout.partition("The Kafka records behind it")[2]
    assert "Every step gave what the article says" in first.stdout
    assert "Traceback" not in first.stderr

    second = run_ledger(*arguments)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "An earlier run has defined 'birthday-reward' already" in second.stdout
    assert '"external_id": "91040123233312"' in second.stdout
