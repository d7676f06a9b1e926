"""The page of a client about one of its invoices, at `/i/<token>`: no sign-in, and nothing of any other client."""

from starter.web.portal.app import app_for_clients as app_for_clients
