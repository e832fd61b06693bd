"""Group callers: each real caller, by its own Debian package, delivered, refused and deferred; a table at the end.

A row passes in a state when: success, the right envelope and bytes arrived, and the caller saw success; refusal and
temporary failure, the server was asked and refused, nothing arrived, and the caller saw it as far as it looks.
"""

import email
import email.policy
import time

import bench
import callers_host
import callers_rows
import callers_system  # noqa: F401  pylint: disable=unused-import

DOOR = "starttls"
STATES = (("success", "bob@example.org", 0), ("refusal", "nobody-here@example.org", 67), ("temporary", "not-now@example.org", 69))


class Host(callers_host.Host):
    """With the servers in sight."""

    def begin(self):
        self.mark = len(self.stand.rig.postfix.log())

    def wait_for_try(self, to, seconds=25):
        """Until the server has taken mail for this address, or refused it."""
        postfix = self.stand.rig.postfix
        tried = (f"to=<{to}>",)
        return bench.wait_until(lambda: any(word in postfix.log()[self.mark:] for word in tried), seconds)


def run(stand, checks, select=""):
    checks.group("callers")
    table = []
    with Host(stand) as host:
        for row in callers_rows.ROWS:
            if select.lower() in row.name.lower():
                table.append((row, [state(host, row, checks, *one) for one in STATES]))
    width = max((len(row.name) for row, _ in table), default=0)
    print(f"    {'caller'.ljust(width)}  " + "  ".join(name.ljust(12) for name, _, _ in STATES))
    for row, cells in table:
        print(f"    {row.name.ljust(width)}  " + "  ".join(cell.ljust(12) for cell in cells))


def state(host, row, checks, name, to, code):
    host.aliases(to)
    host.begin()
    started = time.monotonic()
    faults = []
    try:
        ended = row.run(host, to)
    except Exception as fault:  # pylint: disable=broad-except
        ended = callers_host.Ended(-1, repr(fault))
    if code == 0:
        deliveries = [host.stand.rig.sink.take(DOOR + ".rig", 15) for _ in range(row.count)]
        for delivery in deliveries:
            faults += [f"did not arrive: {ended!r}"] if delivery is None else list(faults_of(row, delivery, to))
        if not row.ok(ended):
            faults.append(f"the caller did not see success: {ended!r}")
    else:
        if not host.wait_for_try(to):
            faults.append(f"the server was never asked: {ended!r}")
        if not row.failed(ended, code):
            faults.append(f"the caller did not see the failure ({code}): {ended!r}")
    time.sleep(0.05)
    for extra in host.stand.rig.sink.take_all():
        faults.append(f"arrived, too: {extra.addresses()} {extra.message[:200]!r}")
    checks.check(f"{row.name}: {name}", faults)
    return f"{'FAILED' if faults else 'passed'} {time.monotonic() - started:.1f} s"


def faults_of(row, delivery, to):
    if sorted(delivery.addresses()) != sorted([to, *row.recipients]):
        yield f"recipients {delivery.addresses()}"
    if row.sender is not None and delivery.sender != row.sender:
        yield f"sender <{delivery.sender}>"
    raw = delivery.message
    if b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b""):
        yield "a bare CR or LF"
    head = raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").lower()
    if "hidden@example.org" in head or "leaked@example.org" in head or "\nbcc:" in head:
        yield "Bcc was left in"
    if not head.isascii():
        yield "raw 8-bit header"
    message = email.message_from_bytes(raw, policy=email.policy.default)
    for field in ("From", "To", "Date", "Message-ID", "Subject"):
        if len(message.get_all(field, [])) != 1:
            yield f"{field} stands {len(message.get_all(field, []))} times"
    if row.subject not in str(message["Subject"]):
        yield f"Subject: {message['Subject']}"
    part = message.get_body(("plain",)) or message
    text = part.get_payload(decode=True).decode(part.get_content_charset() or "utf-8", "replace").replace("\r\n", "\n")
    if row.body.rstrip("\n") not in text:
        yield f"body {text[-300:]!r}"
