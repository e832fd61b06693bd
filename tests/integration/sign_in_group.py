"""Groups sign-in and servers: the ways to sign in, tokens that end, and servers that offer less."""

import itertools
import time

import bench
import compare
import model
import setups

MESSAGE = b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: s\n\nl1\n.\n..x\n"
EIGHT_BIT = (
    "From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: s\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße\n.\n"
).encode()


def send_and_compare(stand, configuration, door, argv, data, setup="open", takes_8bit=True, takes_dsn=True):
    """Faults, and the delivery if there was one."""
    expected = model.expect(argv, data, setups.SETUPS[setup], stand.caller(), takes_8bit)
    if not takes_dsn:
        expected.dsn = {}
    outcome = stand.send(configuration, argv, data)
    if outcome.code != 0 or outcome.stderr or outcome.stdout:
        return [f"exit code {outcome.code}: {outcome.line().strip()} {outcome.stdout[:100]!r}"], None
    delivery = stand.rig.sink.take(f"{door}.rig", 15)
    if delivery is None:
        return ["exit code 0, but nothing arrived"], None
    faults = compare.compare(
        expected, delivery.sender, delivery.sender_parameters, delivery.recipients, delivery.message
    )
    return faults, delivery


def sign_in(stand, checks):
    checks.group("sign-in")
    for auth, door, initial in itertools.product(("xoauth2", "oauthbearer"), ("starttls", "implicit"), ("yes", "no", "auto")):
        configuration = stand.configuration(door=door, auth=auth, sasl_ir=initial)
        faults, delivery = send_and_compare(stand, configuration, door, ["-i", "bob@example.org"], MESSAGE)
        if delivery:
            log = stand.rig.postfix.log_of(delivery.queue_id)
            if f"sasl_method={auth.upper()}, sasl_username=mailer@example.org" not in log:
                faults.append(f"Postfix did not see {auth}: {log[:300]}")
            if delivery.protocol not in ("ESMTPSA", "UTF8SMTPSA"):
                faults.append(f"protocol {delivery.protocol}")
        checks.check(f"{auth}, {door}, sasl_ir = {initial}", faults)
    client_credentials(stand, checks)
    renewal(stand, checks)
    by_address(stand, checks)


def client_credentials(stand, checks):
    identity = stand.rig.identity
    configuration = stand.configuration(grant="app", client_id="rig-app", keyring="app")
    before = identity.token_requests
    faults, _ = send_and_compare(stand, configuration, "starttls", ["-i", "bob@example.org"], MESSAGE)
    form = identity.requests[-1] if identity.token_requests > before else {}
    if form.get("grant_type") != "client_credentials" or "refresh_token" in form:
        faults.append(f"the token request was {sorted(form)}")
    checks.check("client credentials", faults)
    faults, _ = send_and_compare(stand, configuration, "starttls", ["-i", "bob@example.org"], MESSAGE)
    if identity.token_requests != before + 1:
        faults.append(f"{identity.token_requests - before} token requests for two messages")
    checks.check("client credentials: the second message uses the cached token", faults)


def renewal(stand, checks):
    identity = stand.rig.identity
    configuration = stand.configuration(keyring="renewal")
    identity.told_lifetime_s = 2
    before = identity.token_requests, identity.refused_requests
    try:
        for turn in range(3):
            faults, _ = send_and_compare(stand, configuration, "starttls", ["-i", "bob@example.org"], MESSAGE)
            checks.check(f"a token that has ended is renewed, and the rotated refresh token kept ({turn + 1})", faults)
            time.sleep(2.5)
    finally:
        identity.told_lifetime_s = 3600
    used = identity.token_requests - before[0], identity.refused_requests - before[1]
    checks.check("three renewals, none refused", [] if used == (3, 0) else [f"{used[0]} requests, {used[1]} refused"])
    faults, _ = send_and_compare(stand, configuration, "starttls", ["-i", "bob@example.org"], MESSAGE)
    identity.revoke_access_tokens()
    before = identity.token_requests
    faults, _ = send_and_compare(stand, configuration, "starttls", ["-i", "bob@example.org"], MESSAGE)
    if identity.token_requests != before + 1:
        faults.append(f"{identity.token_requests - before} token requests")
    checks.check("a cached token that the server refuses: one fresh token, one more try", faults)


def by_address(stand, checks):
    for door in ("starttls", "implicit"):
        configuration = stand.configuration(door=door, smtp_host="127.0.0.1")
        faults, _ = send_and_compare(stand, configuration, door, ["-i", "bob@example.org"], MESSAGE)
        checks.check(f"a server named by its address, {door}", faults)


def servers(stand, checks):
    checks.group("servers")
    shapes = (
        ("plain", ["-i", "bob@example.org"], MESSAGE), ("8-bit", ["-i", "bob@example.org"], EIGHT_BIT),
        ("20 recipients", ["-i", *(f"user{number}@example.org" for number in range(20))], MESSAGE),
        ("with -N -R -V", ["-i", "-Nfailure,delay", "-Rhdrs", "-VQQ1", "bob@example.org"], MESSAGE),
        ("null sender", ["-i", "-f", "<>", "bob@example.org"], MESSAGE),
        ("1 MB", ["-i", "bob@example.org"], MESSAGE + b"0123456789abcdef0123456789abcde\n" * 32768),
    )
    for door in ("no-8bitmime", "no-pipelining", "no-chunking", "no-smtputf8", "no-dsn", "bare"):
        configuration = stand.configuration(door=door)
        for name, argv, data in shapes:
            faults, _ = send_and_compare(
                stand, configuration, door, argv, data,
                takes_8bit=door not in ("no-8bitmime", "bare"), takes_dsn=door not in ("no-dsn", "bare"),
            )
            checks.check(f"server {door}: {name}", faults)
    for chunking in ("yes", "no"):
        configuration = stand.configuration(door="starttls", chunking=chunking)
        faults, _ = send_and_compare(stand, configuration, "starttls", ["-i", "bob@example.org"], EIGHT_BIT)
        checks.check(f"chunking = {chunking}", faults)
    for door in ("no-smtputf8", "bare"):
        outcome = stand.send(stand.configuration(door=door), ["-i", "zoë@example.org"], MESSAGE)
        faults = bench.refusal_faults(outcome, (65,))
        delivery = stand.rig.sink.take(f"{door}.rig", 0.2)
        checks.check(f"server {door}: an address that needs SMTPUTF8 is refused", faults + (["delivered"] if delivery else []))
