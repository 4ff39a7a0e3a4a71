"""What a sink's secrets may be, and a signature that a receiver's own library takes."""

import pytest

from plane.adapters.sinks import http
from plane.domain.auditing import sinks

WEBHOOK = sinks.SinkSpec(webhook=sinks.Webhook(url="https://siem.example"))
KEY = {"hmacKey": "0123456789abcdef-hmac"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (KEY | {"header": "DD-API-KEY: made-up"}, {}),
        (KEY | {"header": "Authorization: Splunk made-up"}, {}),
        (KEY | {"header": "Authorization: Splunk made-up", "bearer": "b"}, {"data.header": "there is a bearer too"}),
        (KEY | {"header": "made-up"}, {"data.header": "must be one header of a request"}),
        (KEY | {"header": "X-Key: a\r\nHost: other.example"}, {"data.header": "must be one header of a request"}),
        (KEY | {"header": "Host: other.example"}, {"data.header": "may not be host"}),
        (KEY | {"header": "Webhook-Signature: v1,"}, {"data.header": "may not be webhook-signature"}),
        ({"hmacKey": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, {}),
        ({"hmacKey": "whsec_MfKQ"}, {"data.hmacKey": "is shorter than 16 bytes"}),
        ({"hmacKey": ""}, {"data.hmacKey": "is shorter than 16 bytes"}),
        ({"hmacKey": "whsec_no base64 at all"}, {"data.hmacKey": "what follows is no base64"}),
    ],
)
def test_secrets_of_a_webhook(given: dict[str, str], said: dict[str, str]) -> None:
    found = sinks.check_secrets(WEBHOOK, given)
    assert found.keys() == said.keys()
    assert all(text in found[field] for field, text in said.items())
    assert "made-up" not in str(found)


def test_a_signature_is_the_one_of_standard_webhooks() -> None:
    """The example of its specification's first library."""
    key = sinks.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = http.signature(key or b"", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
