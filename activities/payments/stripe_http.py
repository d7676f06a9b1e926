"""Stripe's own library over our bounds: time, size and tries are `VendorHttp`'s, forms and errors are the library's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe

from activities.providers.http import VendorHttp
from billing.errors import Refused, SourceClosed, SourceFaulty, SourceUnavailable

TITLE = "Stripe"

MISSING = "resource_missing"
"""Stripe's code for an id it does not know."""


class BoundedClient(stripe.HTTPClient):
    """What the library asks with. Safe between threads: it keeps nothing."""

    name = "billow"

    def __init__(self, http: VendorHttp) -> None:
        super().__init__()
        self._vendor = http

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """Every request may be sent twice: those that change something carry a key by which Stripe knows it again."""
        path = url.removeprefix(self._vendor.base_url.rstrip("/"))
        given = {"headers": dict(headers or {}), "content": post_data}
        answer = self._vendor.answer(method.upper(), path, given)
        return answer.text, answer.status_code, dict(answer.headers)

    def close(self) -> None:
        """Nothing is kept open."""


def client(api_key: str, http: VendorHttp) -> stripe.StripeClient:
    """The library's client: at one address, with nothing of its own tried again."""
    return stripe.StripeClient(
        api_key,
        http_client=BoundedClient(http),
        base_addresses={"api": http.base_url.rstrip("/")},
        max_network_retries=0,
    )


@contextmanager
def told() -> Iterator[None]:
    """Stripe's errors as ours: what waiting may mend, what a person must mend, and what a rule of theirs refuses."""
    try:
        yield
    except stripe.AuthenticationError as error:
        raise SourceClosed(
            f"{TITLE} does not know the API key; make a new one and set its environment variable"
        ) from error
    except stripe.PermissionError as error:
        raise SourceFaulty(
            f"{TITLE}: the API key may not do that ({_said(error)}); give it the permissions docs/integrations.md names"
        ) from error
    except (stripe.RateLimitError, stripe.APIConnectionError, stripe.IdempotencyError) as error:
        raise SourceUnavailable(
            f"{TITLE} cannot be asked now ({_said(error)}); it is tried again later"
        ) from error
    except (stripe.InvalidRequestError, stripe.CardError) as error:
        raise Refused(f"{TITLE} refuses it: {_said(error)}") from error
    except stripe.StripeError as error:
        if error.http_status == 409:  # the same object is being changed by another request
            raise SourceUnavailable(
                f"{TITLE} is busy with that ({_said(error)}); it is tried again later"
            ) from error
        raise SourceFaulty(
            f"{TITLE} answers what cannot be understood (HTTP {error.http_status}); check base_url in integrations.yaml"
        ) from error


def _said(error: stripe.StripeError) -> str:
    """What it says, without addresses and keys: the library's message is Stripe's own, shortened to a line."""
    return " ".join((error.user_message or error.code or type(error).__name__).split())[:300]
