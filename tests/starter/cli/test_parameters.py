"""What people may type for amounts, days and text."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import click
import pytest

from starter.cli.parameters import Amount, Until
from starter.cli.plain_text import plain


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1234.56", "1234.56"), (" 5 ", "5"), ("-10.5", "-10.5"), ("+3", "3"), ("1.234", "1.234")],
)
def test_amounts(text: str, amount: str) -> None:
    """Digits and a decimal point are an amount, exactly as written."""
    assert Amount().convert(text, None, None) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.234,56", "write 1234.56"),
        ("1,234.56", "write 1234.56"),
        ("1'234.56", "write 1234.56"),
        ("1 234,56", "write 1234.56"),
        ("12,50", "write 12.50"),
        ("1,234", "write 1234 or 1.234"),
        ("1.234.567", "write 1234567"),
        ("EUR 100", "write 100, and the currency with --currency"),
        ("99,90 €", "write 99.90, and the currency with --currency"),
        ("-1.234,56", "write -1234.56"),
        ("NaN", "such as 1234.56"),
        ("inf", "such as 1234.56"),
        ("1e5", "such as 1234.56"),
        ("", "such as 1234.56"),
        ("٣", "such as 1234.56"),
        ("9999999999999", "such as 1234.56"),
    ],
)
def test_amounts_refused(text: str, hint: str) -> None:
    """Anything else is refused, with what was probably meant; nothing is guessed."""
    with pytest.raises(click.BadParameter) as refused:
        Amount().convert(text, None, None)
    assert hint in refused.value.message


def test_until() -> None:
    """A day, an instant and a distance are told apart; what is none of them is refused."""
    assert Until().convert("2026-12-01", None, None) == date(2026, 12, 1)
    assert Until().convert("2026-12-01 09:30", None, None) == datetime(2026, 12, 1, 9, 30)  # noqa: DTZ001
    aware = Until().convert("2026-12-01T09:30+02:00", None, None)
    assert isinstance(aware, datetime)
    assert aware.utcoffset() == timedelta(hours=2)
    assert Until().convert("90m", None, None) == timedelta(minutes=90)
    assert Until().convert("2w", None, None) == timedelta(weeks=2)
    for text in ("tomorrow", "3", "d", "2026-13-01", "2026-12-01T25:00", "-3d", "20261201", "2026-W49-1"):
        with pytest.raises(click.BadParameter):
            Until().convert(text, None, None)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("Müller & Söhne", "Müller & Söhne"),
        ("東京 👩‍💻", "東京 👩‍💻"),
        ("\x1b[31mred\x07", "␛[31mred␇"),
        ("a\r\nb\tc", "a  b c"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("\x9b31m", "\ufffd31m"),
        ("a\u2028b", "a b"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
    ],
)
def test_plain(data: str, shown: str) -> None:
    """Nothing in data can move the cursor, change colours, hide text or begin a line."""
    assert plain(data) == shown
