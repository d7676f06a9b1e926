"""Signing in with the company's identity provider: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636).

The provider says who somebody is; what they may do is said in people.yaml. A person is found by a verified address.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from billing.errors import BillowError

log = logging.getLogger(__name__)

CALLBACK = "/sign-in/callback"
"""Where the provider sends people back to; this address is registered with it."""

SKEW = 120
"""Seconds by which the clocks of the provider and of this machine may differ."""

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]
"""Only signatures by a key the provider keeps to itself: never `none`, never the client's secret."""

_REMEMBERED = 3600.0
_TIMEOUT = httpx.Timeout(10, connect=5)
_SCOPE = "openid email profile"


class SignInFailed(BillowError):
    """Why somebody could not be signed in, in words for them; nothing was changed."""


@dataclass(frozen=True)
class Departure:
    """What is kept in the browser's session until the provider sends the person back."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Identity:
    """Who the provider says somebody is: its id of them, and an address it has verified."""

    subject: str
    email: str


@dataclass(frozen=True)
class _Known:
    metadata: Mapping[str, Any]
    keys: KeySet
    since: float


class Provider:
    """One identity provider, of which this app is a client. Safe to use from several threads."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, web_url: str) -> None:
        self._issuer, self._client_id, self._client_secret = issuer, client_id, client_secret
        self._redirect_uri = f"{web_url}{CALLBACK}"
        self._known: _Known | None = None

    @property
    def name(self) -> str:
        """What people know it by: its host."""
        return urlsplit(self._issuer).hostname or self._issuer

    def depart(self) -> Departure:
        """Where to send a person so that the provider asks them who they are."""
        endpoint = str(self._provider().metadata["authorization_endpoint"])
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        url: str = prepare_grant_uri(
            endpoint,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=_SCOPE,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Departure(url, state, nonce, verifier)

    def arrive(self, answer: Mapping[str, str], departure: Departure) -> Identity:
        """Who came back from the provider with this answer. Raises `SignInFailed`."""
        if not secrets.compare_digest(answer.get("state", "").encode(), departure.state.encode()):
            raise SignInFailed("this answer is to no question of this browser; begin to sign in again")
        if answer.get("iss", self._issuer).rstrip("/") != self._issuer.rstrip("/"):  # RFC 9207
            raise SignInFailed(f"the answer came from another provider than {self.name}; begin again")
        if error := answer.get("error"):
            said = answer.get("error_description") or error
            what = "you did not agree" if error == "access_denied" else f"it says: {said[:200]}"
            raise SignInFailed(f"{self.name} did not sign you in: {what}")
        tokens = self._exchange(answer.get("code", ""), departure.verifier)
        claims = self._claims(str(tokens.get("id_token", "")), departure.nonce)
        if "email" not in claims:
            claims = self._with_userinfo(claims, str(tokens.get("access_token", "")))
        return _identity(claims, self.name)

    def _provider(self, *, anew: bool = False) -> _Known:
        """What it says about itself, asked for once an hour; `anew` when it signs with a key we have not seen."""
        known = self._known
        if known is None or anew or time.monotonic() - known.since > _REMEMBERED:
            metadata = self._json("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if str(metadata.get("issuer", "")).rstrip("/") != self._issuer.rstrip("/"):
                raise SignInFailed(
                    f"the provider at {self.name} calls itself {str(metadata.get('issuer'))[:200]!r}; "
                    "BILLOW_OIDC_ISSUER must be just that"
                )
            keys = KeySet.import_key_set(self._json("GET", str(metadata["jwks_uri"])))  # type: ignore[arg-type]
            known = self._known = _Known(metadata, keys, time.monotonic())
        return known

    def _exchange(self, code: str, verifier: str) -> Mapping[str, Any]:
        metadata = self._provider().metadata
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = None
        if "client_secret_basic" in ways:  # both are escaped (RFC 6749, 2.3.1)
            basic = httpx.BasicAuth(quote(self._client_id, safe=""), quote(self._client_secret, safe=""))
        else:
            form["client_secret"] = self._client_secret
        return self._json("POST", str(metadata["token_endpoint"]), data=form, auth=basic)

    def _claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        """What the ID token says, once it is proved to be for us, now and for this question (Core, 3.1.3.7)."""
        try:
            try:
                claims = jwt.decode(id_token, self._provider().keys, algorithms=_ALGORITHMS).claims
            except InvalidKeyIdError:  # a new key since we last asked
                claims = jwt.decode(id_token, self._provider(anew=True).keys, algorithms=_ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            log.warning("an ID token of %s was refused: %s", self.name, error)
            raise SignInFailed(
                f"what {self.name} sent is not signed by it; tell whoever looks after it"
            ) from error
        audience = claims.get("aud")
        ours = audience == self._client_id or (isinstance(audience, list) and self._client_id in audience)
        authorized = claims.get("azp", self._client_id) == self._client_id
        if str(claims.get("iss", "")).rstrip("/") != self._issuer.rstrip("/") or not (ours and authorized):
            raise SignInFailed(f"what {self.name} sent is meant for another program; begin to sign in again")
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise SignInFailed("the answer belongs to another sign-in; begin again")
        _check_clock(claims, time.time(), self.name)
        return claims

    def _with_userinfo(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        endpoint = self._provider().metadata.get("userinfo_endpoint")
        if not endpoint:
            return claims
        said = self._json("GET", str(endpoint), headers={"Authorization": f"Bearer {access_token}"})
        return {**said, **claims} if said.get("sub") == claims.get("sub") else claims

    def _json(self, method: str, url: str, **request: Any) -> dict[str, Any]:
        try:
            with httpx.Client(timeout=_TIMEOUT) as client:
                answer = client.request(method, url, **request)
                content = answer.json() if answer.content else {}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("%s %s: %s", method, url, error)
            raise SignInFailed(
                f"{self.name} does not answer as an identity provider does now; try again in a minute"
            ) from error
        if answer.is_error or not isinstance(content, dict):
            said = (
                content.get("error_description") or content.get("error") if isinstance(content, dict) else ""
            )
            log.warning("%s %s: %s %s", method, url, answer.status_code, said)
            raise SignInFailed(
                f"{self.name} refused ({answer.status_code}{f', {str(said)[:200]}' if said else ''}); "
                "begin to sign in again"
            )
        return content


def _check_clock(claims: Mapping[str, Any], at: float, name: str) -> None:
    """That the token is of now. The clocks may differ a little; beyond that it is said by how much."""
    try:
        issued, ends = float(claims["iat"]), float(claims["exp"])
    except (KeyError, TypeError, ValueError) as error:
        raise SignInFailed(
            f"what {name} sent does not say when it was made; begin to sign in again"
        ) from error
    if issued > at + SKEW:
        ahead = round((issued - at) / 60)
        raise SignInFailed(
            f"the clock of {name} is {ahead} minutes ahead of this machine's: have the clock here set, then try again"
        )
    if ends < at - SKEW:
        ago = round((at - ends) / 60)
        raise SignInFailed(
            f"what {name} sent ran out {ago} minutes ago by the clock of this machine: begin again, "
            "or have the clock here set if that does not help"
        )


def _identity(claims: Mapping[str, Any], name: str) -> Identity:
    subject, email = str(claims.get("sub") or ""), str(claims.get("email") or "").strip()
    if not subject or not email:
        raise SignInFailed(f"{name} does not say your address; it must give this program the scope 'email'")
    if claims.get("email_verified") not in (True, "true"):
        raise SignInFailed(
            f"{name} has not verified {email}; have it verified there, since the address says who you are here"
        )
    return Identity(f"{str(claims['iss']).rstrip('/')}#{subject}", email)
