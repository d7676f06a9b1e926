"""Money: a decimal amount in one currency, never a float."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from billing.currencies import MINOR_UNITS
from billing.errors import MoneyError

LARGEST_DIGITS = 13
"""Digits a figure may have before its point: the product of two still rounds exactly in 28 digits."""


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        message = f"write the figure {value} in quotes: binary floats cannot hold cents exactly"
        raise ValueError(message)  # noqa: TRY004  pydantic reports a ValueError with its place
    return value


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("must be a finite number")
    if value.adjusted() >= LARGEST_DIGITS:
        raise ValueError(f"{value} is too large; write at most {LARGEST_DIGITS} digits before the point")
    return value


def _currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError(f"{code!r} is not a currency in ISO 4217; write a code such as EUR, CHF or USD")
    return code


Currency = Annotated[str, AfterValidator(_currency)]
"""An ISO 4217 code."""

Figure = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(_finite)]
"""A decimal that was never a float: an amount, a quantity, a rate."""


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of the currency: 0.01 for EUR, 1 for JPY, 0.001 for KWD."""
    if currency not in MINOR_UNITS:
        raise MoneyError(f"{currency!r} is not a currency in ISO 4217")
    return Decimal(1).scaleb(-MINOR_UNITS[currency])


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units, half away from zero (commercial rounding, EN 16931); never -0."""
    return amount.quantize(smallest_unit(currency), rounding=ROUND_HALF_UP) + 0


class Money(BaseModel):
    """An amount in whole smallest units of its currency; refuses floats and surplus decimals."""

    model_config = ConfigDict(frozen=True)

    amount: Figure
    currency: Currency

    def model_post_init(self, _context: object) -> None:
        if self.amount != rounded(self.amount, self.currency):
            raise MoneyError(
                f"{self.amount} {self.currency} has more decimals than {self.currency} knows; round it first"
            )

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> Money:
        """Money from an exact figure; `MoneyError` for floats, what is no figure, surplus decimals, no currency."""
        if isinstance(amount, float):
            raise MoneyError(f"{amount!r} is a float; write it as text or Decimal")
        try:
            figure = _finite(Decimal(amount))
        except InvalidOperation as error:
            raise MoneyError(f"{amount!r} is not a figure; write one such as 1234.56") from error
        except ValueError as error:
            raise MoneyError(str(error)) from error
        return cls(amount=rounded_exactly(figure, currency), currency=currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls.of(0, currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MoneyError(f"{self} and {other} are in different currencies; convert one of them first")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money.of(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money.of(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money.of(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __str__(self) -> str:
        return f"{self.currency} {self.amount:,}"


def rounded_exactly(amount: Decimal, currency: str) -> Decimal:
    """The amount with the currency's decimals; `MoneyError` if digits would be lost."""
    exact = rounded(amount, currency)
    if exact != amount:
        raise MoneyError(f"{amount} {currency} has more decimals than {currency} knows; round it first")
    return exact


def written(amount: Decimal, currency: str) -> str:
    """The amount for a message: thousands apart, the currency's decimals, and more of them if there are more."""
    decimals = max(MINOR_UNITS.get(currency, 2), -int(amount.normalize().as_tuple().exponent))
    return f"{amount:,.{decimals}f}"


def total(parts: Iterable[Decimal]) -> Decimal:
    """The sum of decimals, exact."""
    return sum(parts, Decimal(0))


def split(amount: Money, weights: Sequence[Decimal]) -> list[Money]:
    """The amount in parts after the weights, by largest remainder: the parts always sum to the whole.

    Equal remainders go to the earlier part. `MoneyError` if the weights do not sum to more than zero.
    """
    whole = total(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise MoneyError("weights must not be negative and must sum to more than zero")
    unit = smallest_unit(amount.currency)
    units = int(abs(amount.amount) / unit)
    sign = -1 if amount.amount < 0 else 1
    floors = [int(units * weight // whole) for weight in weights]
    remainders = [units * weight % whole for weight in weights]
    missing = units - sum(floors)
    for index in sorted(range(len(weights)), key=lambda i: (-remainders[i], i))[:missing]:
        floors[index] += 1
    return [Money.of(sign * part * unit, amount.currency) for part in floors]
