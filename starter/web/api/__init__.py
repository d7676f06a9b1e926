"""The API for programs: everything the pages do, by JSON over HTTP, described as OpenAPI 3.1.

Each request speaks for a person, by a bearer token with scopes (`callers`), and comes in by the same doors as people.
"""

from starter.web.api.application import PREFIX, app_for_api

__all__ = ["PREFIX", "app_for_api"]
