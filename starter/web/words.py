"""How figures, instants and states read on a page: in the words of a viewer's language and country."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_compact_decimal, format_decimal, parse_pattern
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from activities.languages.catalogue import counted
from activities.languages.templating import EXTENSION
from activities.ledger import timeline
from activities.ledger.read_models import TimelineEntry
from activities.ledger.timeline import Voice
from billing.money import rounded
from starter.web.languages import ENGLISH_TAG, catalogue_for
from starter.web.sentences import Sentences, Ways
from starter.web.vocabulary import CODED, PERSONS, PIECE, TAX_KINDS, TONES, TRIGGERS, UNITS, UNSPOKEN, WAITS

_FIGURE = parse_pattern("#,##0.############")
_WHOLE = parse_pattern("#,##0")
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})(?: to (\d{4}-\d{2}-\d{2}))?")
_TAX_CODE = re.compile(r"[A-Z]{1,2}: ")
_DISTANCES = (
    (1440, counted("%(num)s day ago", "%(num)s days ago"), counted("in %(num)s day", "in %(num)s days")),
    (60, counted("%(num)s hour ago", "%(num)s hours ago"), counted("in %(num)s hour", "in %(num)s hours")),
    (1, counted("%(num)s minute ago", "%(num)s minutes ago"), counted("in %(num)s minute", "in %(num)s minutes")),
)  # fmt: skip
"""Minutes of a unit, and how so many of it are said of what was and of what comes."""


class Words:
    """The words of one language and country (a BCP 47 tag of `starter.web.languages.CHOICES`)."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.locale = Locale.parse(tag, sep="-")
        self.catalogue = catalogue_for(self.locale.language)
        self.gettext = self.catalogue.gettext
        self.ngettext = self.catalogue.ngettext
        ways = Ways(self.day, self.money, self.figure, self._word, "„%s“")
        self._sentences = Sentences(self.locale.language, ways)
        self.told = self._sentences.told
        self._voice = Voice(
            self.told,
            self._fact,
            self.money,
            lambda at: f"{self.day(at.date())}, {self.clock(at)}",
            UNSPOKEN,
        )

    def money(self, amount: Decimal | None, currency: str | None) -> str:
        """'EUR 8,500.00', in German '8.500,00 EUR', with blanks that do not break; a dash where there is none."""
        if amount is None or currency is None:
            return "–"
        return self._money(rounded(amount, currency), currency)

    @lru_cache(maxsize=4096)  # noqa: B019  the words of a locale live as long as the process
    def _money(self, amount: Decimal, currency: str) -> str:
        figure = format_decimal(amount, _fixed(-int(amount.as_tuple().exponent)), self.locale).replace(
            "-", "\u2212"
        )
        # CLDR puts a code after the amount in German, also in Austria and Switzerland, as letters and banks do
        return f"{figure}\u00a0{currency}" if self.locale.language == "de" else f"{currency}\u00a0{figure}"

    def figure(self, value: Decimal | int) -> str:
        """A quantity or rate without needless zeros."""
        return format_decimal(value, _FIGURE, self.locale).replace("-", "\u2212")

    def number(self, value: int) -> str:
        """A count of things, such as 1,234."""
        return format_decimal(value, _WHOLE, self.locale).replace("-", "\u2212")

    def percent(self, share: Decimal) -> str:
        """A share of 1 in per cent without decimals, such as 42 %."""
        figure = format_decimal(share * 100, _WHOLE, self.locale).replace("-", "\u2212")
        return f"{figure}\u00a0%" if self.locale.language == "de" else f"{figure}%"

    def quantity(self, value: Decimal, code: str) -> str:
        """A quantity with its unit, such as 7.5 h; what is counted by the piece has none."""
        figure, unit = self.figure(value), self.gettext(UNITS[code]) if code in UNITS else code
        return figure if code == PIECE else f"{figure}\u00a0{unit}"

    def size(self, octets: int) -> str:
        if octets < 1024:
            return f"{octets}\u00a0{self.ngettext('byte', 'bytes', octets)}"
        return f"{self.number(octets // 1024)}\u00a0KB"

    def duration(self, length: timedelta | None) -> str:
        """'2 h 5 min': the two largest units; a dash where nothing is late."""
        if length is None:
            return "–"
        seconds = max(0, int(length.total_seconds()))
        parts = (
            (seconds // 86400, self.gettext("d")),
            (seconds // 3600 % 24, self.gettext("h")),
            (seconds // 60 % 60, self.gettext("min")),
            (seconds % 60, self.gettext("s")),
        )
        said = " ".join([f"{count}\u00a0{unit}" for count, unit in parts if count][:2])
        return said or f"0\u00a0{self.gettext('s')}"

    @lru_cache(maxsize=4096)  # noqa: B019
    def day(self, value: date | None) -> str:
        """'20 Nov 2026', '20.11.2026': never in an order that could be another day elsewhere."""
        return format_date(value, "medium", self.locale).replace(" ", "\u00a0") if value else "–"

    def day_of_month(self, value: date) -> str:
        """'24 Nov', '24.11.': a day whose year is plain."""
        return format_skeleton("MMMd" if self.locale.language == "en" else "Md", value, locale=self.locale)

    def month(self, value: date) -> str:
        """'November 2026'."""
        return format_date(value, "LLLL yyyy", self.locale).replace(" ", "\u00a0")

    def clock(self, local: datetime) -> str:
        return format_time(local.time(), "short", locale=self.locale)

    def clock_time(self, value: time) -> str:
        """A time of day."""
        return format_time(value, "short", locale=self.locale)

    def instant(self, at: datetime | None, zone: ZoneInfo) -> str:
        """A `<time>` in the zone, which its title names."""
        if at is None:
            return "–"
        local = at.astimezone(zone)
        return self._time(local, zone, f"{self.day(local.date())}, {self.clock(local)}")

    def distance(self, at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
        """A `<time>` as people say it: in 3 hours, 2 days ago; its title is the instant."""
        if at is None:
            return "–"
        return self._time(at.astimezone(zone), zone, self._distance(at - now))

    def _time(self, local: datetime, zone: ZoneInfo, text: str) -> Markup:
        day = format_date(local.date(), "full", self.locale)
        title = f"{day}, {local:%H:%M:%S} {local:%Z} ({zone.key})"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(local.isoformat(), title, text)

    def _distance(self, length: timedelta) -> str:
        away, past = abs(length), length < timedelta(0)
        minutes = int(away.total_seconds() // 60)
        for step, ago, coming in _DISTANCES:
            if minutes >= step:
                one, many = ago if past else coming
                return self.ngettext(one, many, round(minutes / step)).replace(" ", "\u00a0")
        return self.gettext("just now") if past else self.gettext("in a moment")

    def said(self, word: str) -> str:
        """A status, code or role of `starter.web.vocabulary` in words; anything else as it is."""
        return self.catalogue.pattern(word.replace("-", " ")) if word else ""

    def _word(self, text: str) -> str | None:
        """A word of the catalogue, such as a state; None where there is none."""
        said = self.catalogue.pattern(text.replace("-", " "))
        return said if said != text.replace("-", " ") else None

    def happened(
        self, entry: TimelineEntry, zone: ZoneInfo, currency: str | None, names: Mapping[str, str]
    ) -> str:
        """The facts of an event of the audit trail in one line; people by their `names`."""

        def fact(key: str, value: str) -> str:
            return names.get(value, value) if key in PERSONS else self._fact(key, value)

        return timeline.line(
            entry.event, entry.facts, currency, zone.key, self._voice._replace(fact=fact)
        ).removeprefix(f"{entry.event}: ")

    def _fact(self, key: str, value: str) -> str:
        if key == "trigger":
            return self.trigger(value)
        if key == "tax":
            return self.tax_reason(value)
        if key in CODED and " " not in value:
            return self.said(value)
        return self.days(value)

    def term(self, said: str) -> str:
        """A term of an agreement: sentences, amounts and days with commas between, or papers with a dot between."""
        return " · ".join(self._term(each) for each in said.split(" · "))

    def _term(self, said: str) -> str:
        whole = self._sentences.piece(said)
        if whole != said:
            return whole
        kind, _, rest = said.partition(" ")
        if ", " not in said:
            return f"{word} {rest}" if rest and (word := self._word(kind)) else said
        return ", ".join(self._sentences.piece(each) for each in said.split(", "))

    def trigger(self, said: str) -> str:
        """What made an invoice due: by the calendar, by hand, by an event: project completed."""
        if said in TRIGGERS:
            return self.gettext(TRIGGERS[said])
        kind, _, what = said.partition(" ")
        if kind not in TRIGGERS:
            return self.told(said)
        event = re.sub(r"[._]", "-", what.removeprefix("billow."))
        return f"{self.gettext(TRIGGERS[kind])}: {self.said(event)}"

    def days(self, said: str) -> str:
        """A day or a period that stands in a text as ISO 8601, in words; any other text told."""
        found = _DAYS.fullmatch(said)
        if found is None:
            return self.told(said)
        try:
            first, last = (date.fromisoformat(each or found[1]) for each in found.groups())
        except ValueError:
            return said
        return self.day(first) if first == last else f"{self.day(first)} – {self.day(last)}"

    def tax_reason(self, said: str) -> str:
        """Why a tax is what it is, without the code of its category."""
        return _TAX_CODE.sub("", self.told(said), count=1)

    def tax_kind(self, category: str) -> str:
        """What kind of tax a category of EN 16931 is; nothing for the standard one."""
        return self.gettext(TAX_KINDS[category]) if category in TAX_KINDS else ""

    def short(self, amount: Decimal) -> str:
        """An amount for the scale of a picture: 12.5K, in German 12.500."""
        said: str = format_compact_decimal(amount, locale=self.locale, fraction_digits=2)
        return said if self.locale.language == "en" or amount >= 1_000_000 else self.figure(amount)

    def waits(self, said: str) -> str:
        """What an invoice waits for, in a word where there is one: the amounts stand beside it."""
        kind = said.partition(" ")[0]
        return self.gettext(kind) if kind in WAITS else self.told(said)

    def then(self, said: str) -> str:
        """What comes after the wait: the name of a message, or a sentence."""
        return self.said(said) if " " not in said else self.told(said)

    def listed(self, texts: list[str]) -> str:
        """'a, b and c'."""
        return format_list(texts, locale=self.locale) if texts else ""


@lru_cache
def words(tag: str) -> Words:
    """The words of a tag of `starter.web.languages.CHOICES`."""
    return Words(tag)


ENGLISH = words(ENGLISH_TAG)


@lru_cache
def environment(said: Words = ENGLISH) -> Environment:
    """The page templates in these words: escaped, and a misspelt name is an error rather than nothing.

    In them stand `{% trans %}` and `_()`. A translation is a part of the template, markup as it is written; what fills
    its places is escaped.
    """
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[EXTENSION],
    )
    made.policies["ext.i18n.trimmed"] = True
    spoken = said.catalogue.translations
    made.install_gettext_callables(  # type: ignore[attr-defined]  # comes with the extension
        spoken.gettext, spoken.ngettext, newstyle=True, pgettext=spoken.pgettext, npgettext=spoken.npgettext
    )
    made.globals["words"] = said
    made.globals["capital"] = capital
    made.filters |= {
        "money": said.money,
        "figure": said.figure,
        "number": said.number,
        "percent": said.percent,
        "quantity": said.quantity,
        "size": said.size,
        "duration": said.duration,
        "day": said.day,
        "month": said.month,
        "day_of_month": said.day_of_month,
        "instant": said.instant,
        "distance": said.distance,
        "said": said.said,
        "waits": said.waits,
        "told": said.told,
        "happened": said.happened,
        "trigger": said.trigger,
        "days": said.days,
        "term": said.term,
        "then": said.then,
        "tax_reason": said.tax_reason,
        "tax_kind": said.tax_kind,
        "listed": lambda texts: said.listed([str(each) for each in texts]),
        "tone": tone,
    }
    return made


@lru_cache
def _fixed(decimals: int):  # type: ignore[no-untyped-def]  # Babel names the type of its patterns nowhere
    return parse_pattern("#,##0" + ("." + "0" * decimals if decimals else ""))


def capital(said: str) -> str:
    """The same, its first letter a capital."""
    return said[:1].upper() + said[1:]


def money(amount: Decimal | None, currency: str | None) -> str:
    """An amount in English words."""
    return ENGLISH.money(amount, currency)


def tone(status: str) -> str:
    """The calm colour of a status badge."""
    return TONES.get(status, "plain")
