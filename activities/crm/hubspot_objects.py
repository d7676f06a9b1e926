"""Reading HubSpot: objects with the properties that are wanted, and how they belong together; whole or not at all.

SOURCE: https://developers.hubspot.com/docs/api-reference/overview, CRM v3 (objects, owners, pipelines, properties) and
associations v4; the models of the official client, hubspot-api-client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from activities.providers.http import VendorHttp
from activities.providers.paging import Record, by_token, endless, listed
from billing.errors import SourceFaulty

Value = TypeVar("Value")

AT_ONCE = 100
"""Objects a page and a batch; HubSpot takes no more."""

_FRESH_FOR = 20.0
"""Seconds for which owners and pipelines are good: those of one run."""

_MOST_ROUNDS = 1000
_NO_ASSOCIATIONS = "NO_ASSOCIATIONS_FOUND"
_GONE = "OBJECT_NOT_FOUND"


@dataclass(frozen=True)
class Link:
    """An object that belongs to another one, with the labels (in lower case) that say as what."""

    id: str
    labels: frozenset[str]


@dataclass(frozen=True)
class HubSpotObjects:
    """The CRM objects of one account. Safe between threads.

    Every call raises `SourceUnavailable`, or `SourceFaulty` where a person must mend something.
    """

    title: str
    http: VendorHttp
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict, repr=False)

    def one(self, kind: str, id_: str, properties: Sequence[str]) -> Record | None:
        """The object with that id; None if there is none, or it is archived."""
        if not id_.isascii() or not id_.isdigit():
            return None
        path = f"/crm/v3/objects/{kind}/{id_}"
        found: Record | None = self.http.json(
            "GET", path, params={"properties": list(properties)}, missing_ok=True
        )
        if found is not None and str(found.get("id")) != id_:
            raise SourceFaulty(
                f"{self.title}: {kind} {id_} was merged into {found.get('id')}; write that id where {id_} stands now"
            )
        return found

    def every(self, kind: str, properties: Sequence[str]) -> tuple[Record, ...]:
        """All objects of a kind that are not archived."""
        asked = {"properties": list(properties), "archived": "false"}
        return self._paged(f"/crm/v3/objects/{kind}", asked, f"{self.title}'s {kind}")

    def some(self, kind: str, properties: Sequence[str]) -> list[Record]:
        """A few objects of a kind, the newest last."""
        what = f"{self.title}'s {kind}"
        asked = {"properties": list(properties), "limit": AT_ONCE}
        found = listed(self.http.json("GET", f"/crm/v3/objects/{kind}", params=asked), "results", what)
        return sorted(found, key=lambda each: int(each["id"]))

    def batch(self, kind: str, ids: Sequence[str], properties: Sequence[str]) -> dict[str, Record]:
        """The objects with these ids, by id; those that are gone are left out."""
        found: dict[str, Record] = {}
        for part in _parts(sorted(set(ids), key=int)):
            content = {
                "inputs": [{"id": each} for each in part],
                "properties": list(properties),
                "propertiesWithHistory": [],
            }
            records = self._batch(
                f"/crm/v3/objects/{kind}/batch/read", content, f"{self.title}'s {kind}", _GONE
            )
            found |= {str(each["id"]): each for each in records}
        return found

    def linked(self, kind: str, ids: Sequence[str], to: str) -> dict[str, tuple[Link, ...]]:
        """Which objects of another kind belong to these, by id; each sorted by age, the oldest first."""
        found: dict[str, dict[str, Link]] = {each: {} for each in ids}
        for part in _parts(sorted(found, key=int)):
            wanted: list[dict[str, str]] = [{"id": each} for each in part]
            for _ in range(_MOST_ROUNDS):
                wanted = self._link(kind, to, wanted, found)
                if not wanted:
                    break
            else:
                raise endless(f"{self.title}'s {to} of {kind}")
        return {
            one: tuple(sorted(links.values(), key=lambda each: int(each.id))) for one, links in found.items()
        }

    def owners(self) -> Mapping[str, Record]:
        """The owners by id, those who have left included."""
        return self._fresh("owners", self._owners)

    def pipelines(self, kind: str) -> Sequence[Record]:
        """The pipelines of a kind, with their stages."""
        what, path = f"{self.title}'s pipelines of {kind}", f"/crm/v3/pipelines/{kind}"
        return self._fresh(path, lambda: listed(self.http.json("GET", path), "results", what))

    def property(self, kind: str, name: str) -> Record | None:
        """What HubSpot knows about a property; None if the account has none of that name."""
        path = f"/crm/v3/properties/{kind}/{quote(name, safe='')}"
        found: Record | None = self.http.json("GET", path, missing_ok=True)
        return found

    def change(self, kind: str, id_: str, properties: Mapping[str, str]) -> None:
        """Sets properties of an object; one that is gone is passed over."""
        path = f"/crm/v3/objects/{kind}/{id_}"
        self.http.json("PATCH", path, content={"properties": dict(properties)}, missing_ok=True)

    def _paged(self, path: str, asked: Mapping[str, Any], what: str) -> tuple[Record, ...]:
        def page(after: str | None) -> tuple[list[Record], str | None]:
            params = {**asked, "limit": AT_ONCE, **({"after": after} if after else {})}
            answer = self.http.json("GET", path, params=params)
            return listed(answer, "results", what), _after(answer)

        return by_token(what, page, lambda each: str(each.get("id")))

    def _batch(self, path: str, content: Mapping[str, Any], what: str, excused: str) -> list[Record]:
        answer = self.http.json("POST", path, content=content)
        found = listed(answer, "results", what)
        for each in answer.get("errors") or ():
            said = f"{each.get('category', '')} {each.get('subCategory', '')}"
            if excused not in said:
                raise SourceFaulty(
                    f"{what} cannot be read in full: {str(each.get('message', said))[:200]}; check the token's scopes"
                )
        if answer.get("status") != "COMPLETE":
            raise SourceFaulty(
                f"{what} came in part only: status {str(answer.get('status'))[:40]!r}; read them again"
            )
        return found

    def _link(
        self, kind: str, to: str, wanted: Sequence[Mapping[str, str]], found: dict[str, dict[str, Link]]
    ) -> list[dict[str, str]]:
        """Reads a page of each; returns what has another one."""
        what = f"{self.title}'s {to} of {kind}"
        path = f"/crm/v4/associations/{kind}/{to}/batch/read"
        more = []
        for each in self._batch(path, {"inputs": list(wanted)}, what, _NO_ASSOCIATIONS):
            one = str(each["from"]["id"])
            for other in listed(each, "to", what):
                labels = {
                    str(label["label"]).casefold()
                    for label in other["associationTypes"]
                    if label.get("label")
                }
                link = Link(str(other["toObjectId"]), frozenset(labels))
                found[one][link.id] = link
            if after := _after(each):
                more.append({"id": one, "after": after})
        return more

    def _owners(self) -> dict[str, Record]:
        what, path = f"{self.title}'s owners", "/crm/v3/owners/"
        every = [self._paged(path, {"archived": archived}, what) for archived in ("true", "false")]
        return {str(each["id"]): each for part in every for each in part}

    def _fresh(self, key: str, read: Callable[[], Value]) -> Value:
        until, value = self._kept.get(key, (0.0, None))
        if time.monotonic() > until:
            value = read()
            self._kept[key] = (time.monotonic() + _FRESH_FOR, value)
        found: Value = value
        return found


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[n : n + AT_ONCE] for n in range(0, len(ids), AT_ONCE)]


def _after(answer: Mapping[str, Any]) -> str | None:
    following = (answer.get("paging") or {}).get("next") or {}
    return str(following["after"]) if following.get("after") else None
