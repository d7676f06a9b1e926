"""The description of the API is kept: whatever is sent in its shapes, right or wrong, is answered as it says."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from activities.ledger.database import Ledger
from billing.exceptions import ReasonCode
from starter.web import create_app
from tests.starter.web.programs import token_of
from tests.starter.web.story import Story
from workers.settings import Settings

schemathesis.serializer.alias("application/zip", "application/octet-stream")

EXAMPLES = 4
"""Of each kind for each operation: so that all of them are done within the minute."""

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def app(story: Story, settings: Settings, ledger: Ledger) -> Starlette:
    """The app on a ledger with something of everything."""
    story.issued("seen")
    story.paid(story.issued("paid"), "8500.00")
    story.asked("waiting")
    story.raised("stopped", ReasonCode.SOURCES_DIFFER, "the CRM says 8,500.00 EUR, the contract 9,200.00 EUR")
    changed = settings.model_copy(update={"api_requests_per_minute": 1_000_000})
    return create_app(changed, ledger)


@pytest.mark.timeout(900)  # over a hundred operations, some examples each
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_conforms(app: Starlette, ledger: Ledger, mode: GenerationMode) -> None:
    """No answer is a fault of ours, of another status, type or shape than is described, be the request valid or not."""
    headers = {"Authorization": f"Bearer {token_of(ledger, 'uma')}"}
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    schema.config.generation.update(modes=[mode])
    wrong = {}
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # one that is not described well fails here

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def conforms(case: Case[Any]) -> None:
            case.validate_response(case.call(headers=headers), checks=CHECKS)

        try:
            conforms()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  all of them are told
            wrong[operation.label] = str(error)[:2000]
    assert wrong == {}
