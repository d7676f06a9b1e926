"""The web app: pages for approvers and finance operators."""

from starter.web.app import create_app

__all__ = ["create_app"]
