"""Compares what arrived with what the model expects. Answers with a list of differences; empty is right."""

import email
import email.policy
import re

import addresses
import model

EIGHT_BIT_UNANNOUNCED = "8-bit bytes without BODY=8BITMIME"


def compare(expected, sender, sender_parameters, recipients, message):
    """`recipients`: [(address, [parameter])]; `message`: the bytes behind DATA."""
    faults = envelope_faults(expected, sender, sender_parameters, recipients)
    faults += wire_faults(message, sender_parameters, expected)
    head, separator, body = message.partition(b"\r\n\r\n")
    if message.startswith(b"\r\n"):
        head, body = b"", message[2:]
    lines = head.split(b"\r\n")
    fields, rest = model.split(lines)
    if rest:
        faults.append(f"a line in the header is no field: {rest[0][:80]!r}")
    fields = take_added(expected, fields, faults)
    compare_fields(expected, fields, faults)
    if expected.reencode:
        faults += reencoded_faults(expected, message)
    elif body != expected.body:
        faults.append(first_difference(expected.body, body))
    return faults


def envelope_faults(expected, sender, parameters, recipients):
    faults = []
    wanted = addresses.written(*expected.sender) if expected.sender != ("", "") else ""
    if sender.lower() != wanted.lower():
        faults.append(f"envelope sender {sender!r}, expected {wanted!r}")
    got = sorted(normal(address) for address, _ in recipients)
    want = sorted(normal(addresses.written(*mailbox)) for mailbox in expected.recipients)
    if got != want:
        faults.append(f"recipients {got}, expected {want}")
    if expected.needs_utf8 != ("SMTPUTF8" in parameters):
        faults.append(f"SMTPUTF8 {'not ' if expected.needs_utf8 else ''}asked for")
    for key in ("RET", "ENVID"):
        value = dict(part.partition("=")[::2] for part in parameters).get(key)
        if value != expected.dsn.get(key):
            faults.append(f"{key} {value!r}, expected {expected.dsn.get(key)!r}")
    for address, its in recipients:
        value = dict(part.partition("=")[::2] for part in its).get("NOTIFY")
        if set(value.split(",") if value else ()) != expected.dsn.get("NOTIFY", set()):
            faults.append(f"NOTIFY of {address} {value!r}, expected {expected.dsn.get('NOTIFY')!r}")
    return faults


def normal(address):
    local, at, domain = address.rpartition("@")
    return local + at + domain.lower()


def wire_faults(message, parameters, expected):
    faults = []
    if re.search(rb"(?<!\r)\n|\r(?!\n)", message):
        faults.append("a bare CR or LF")
    if b"\0" in message:
        faults.append("a NUL")
    if any(len(line) > model.MAX_LINE for line in message.split(b"\r\n")):
        faults.append("a line over 998 octets")
    if not message.isascii() and "BODY=8BITMIME" not in parameters:
        faults.append(EIGHT_BIT_UNANNOUNCED)
    head = message.partition(b"\r\n\r\n")[0]
    if not head.isascii() and not expected.needs_utf8:
        faults.append("8-bit bytes in the header")
    return faults


def take_added(expected, fields, faults):
    """Checks the fields that had to be added and gives back the rest."""
    # A field of the original may have the same name (Received): the added one stands above it.
    wanted = {**expected.optional, **expected.added}
    original = [field.name.lower() for field in expected.fields]
    left, found = [], set()
    for index, field in enumerate(fields):
        name = field.name.decode().lower()
        extra = sum(one.name.lower() == field.name.lower() for one in fields) > original.count(field.name.lower())
        if name in wanted and name not in found and extra:
            found.add(name)
            value = readable(field.body)
            try:
                right = wanted[name](value)
            except addresses.Bad:
                right = False
            if not right:
                faults.append(f"added {field.name.decode()}: {value!r} is not right")
        else:
            left.append(field)
    for name in expected.added:
        if name not in found:
            faults.append(f"{name} was not added")
    return left


def compare_fields(expected, fields, faults):
    want = [field.name for field in expected.fields]
    got = [field.name for field in fields]
    reencoded_labels = (b"mime-version", b"content-type", b"content-transfer-encoding")
    if expected.reencode:
        fields = [field for field in fields if field.name.lower() not in reencoded_labels]
        expected_fields = [field for field in expected.fields if field.name.lower() not in reencoded_labels]
        want, got = [field.name for field in expected_fields], [field.name for field in fields]
    else:
        expected_fields = expected.fields
    if want != got:
        faults.append(f"header fields {got}, expected {want}")
        return
    for wanted, field in zip(expected_fields, fields):
        if wanted.loose:
            bodies = (wanted.body, *wanted.alternatives)
            same = decoded(field.body) in {decoded(body) for body in bodies}
        else:
            same = wanted.body == field.body
        if not same:
            faults.append(f"{field.name.decode()}:{field.body!r}, expected {wanted.body!r}")


def decoded(body):
    """As a person reads it: unfolded, encoded words decoded, quotes of phrases and needless blanks aside."""
    text = model.decode_words(readable(body))
    text = re.sub(r'"([^"\\]*)"(?=\s*[<@])', r"\1", text)
    # Domains in A-labels: a header may keep either form.
    text = re.sub(r"@([^\s>,;@]*[^\x00-\x7f][^\s>,;@]*)", lambda match: "@" + addresses.a_labels(match.group(1)), text)
    text = re.sub(r"\s+(?=[:;,])", "", text)
    return re.sub(r"\s+", " ", text).strip()


def readable(body):
    return re.sub(r"\s+", " ", model.text_of(body)).strip()


def reencoded_faults(expected, message):
    """The content of every leaf is the same once decoded."""
    head = b"".join(field.name + b":" + field.body + b"\r\n" for field in expected.fields)
    before = leaves(head + b"\r\n" + expected.body)
    after = leaves(message)
    if len(before) != len(after):
        return [f"{len(after)} parts, expected {len(before)}"]
    faults = []
    for index, (was, now) in enumerate(zip(before, after)):
        if was[0] != now[0]:
            faults.append(f"part {index} is {now[0]}, expected {was[0]}")
        elif was[1] != now[1]:
            faults.append(f"part {index}: " + first_difference(was[1], now[1]))
    return faults


def leaves(message):
    found = []
    for part in email.message_from_bytes(message, policy=email.policy.compat32).walk():
        if not part.is_multipart():
            content = part.get_payload(decode=True) or b""
            content = re.sub(rb"\r?\n", b"\n", content)
            # The last line end of a part belongs to the boundary.
            found.append((part.get_content_type(), content.rstrip(b"\n")))
    return found


def first_difference(want, got):
    at = next((index for index, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
    return (
        f"body differs at byte {at} of {len(want)} (arrived: {len(got)}): "
        f"{got[max(0, at - 20):at + 40]!r}, expected {want[max(0, at - 20):at + 40]!r}"
    )
