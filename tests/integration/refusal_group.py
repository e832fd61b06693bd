"""Group refusals: each row of bad input against the real servers: exit code, line, nothing sent."""

import subprocess
import time

import bench
from postfix import random_port

MESSAGE = b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: s\n\nl1\n"
BOB = ["-i", "bob@example.org"]
CAUSE_BY_COLUMN = 80


def run(stand, checks):
    checks.group("refusals")
    warm(stand)
    recipients_and_senders(stand, checks)
    certificates(stand, checks)
    tokens(stand, checks)
    token_endpoint(stand, checks)
    killed(stand, checks)
    stand.rig.postfix.wait_until_empty()
    checks.check("nothing was delivered", [str(one.addresses()) for one in stand.rig.sink.take_all()])


def warm(stand):
    """A cached access token, so that the rows about SMTP do not meet the token endpoint."""
    outcome = stand.send(stand.configuration(), BOB, MESSAGE)
    if outcome.code == 0:
        stand.rig.sink.take("starttls.rig", 15)


def row(stand, checks, name, codes, pattern, argv=None, data=MESSAGE, **configuration):
    before = stand.rig.sink.count()
    outcome = stand.send(stand.configuration(**configuration), argv or BOB, data)
    faults = bench.refusal_faults(outcome, codes, pattern)
    if not outcome.line().startswith(f"sendmail: not sent ({bench.ACCOUNT}): "):
        faults.append(f"the line does not name the account [{outcome.line().strip()}]")
    time.sleep(0.05)
    if stand.rig.sink.count() != before:
        faults.append("something was delivered")
    checks.check(name, faults)
    return outcome


def recipients_and_senders(stand, checks):
    row(stand, checks, "recipient refused", (67,), r"nobody-here@example\.org.*\[server: .?550 5\.1\.1", ["-i", "nobody-here@example.org"])
    row(stand, checks, "one of two recipients refused: all or nothing", (67,), r"nobody-here@example\.org", ["-i", "bob@example.org", "nobody-here@example.org"])
    row(stand, checks, "recipient refused by a server without PIPELINING", (67,), r"550 5\.1\.1", ["-i", "bob@example.org", "nobody-here@example.org"], door="no-pipelining")
    row(stand, checks, "recipient deferred", (69,), r"450 4\.2\.0", ["-i", "not-now@example.org"])
    row(stand, checks, "one of two recipients deferred", (69,), r"450 4\.2\.0", ["-i", "bob@example.org", "not-now@example.org"])
    row(stand, checks, "recipient refused by policy", (67, 77), r"554 5\.7\.1", ["-i", "content@example.org"])
    row(stand, checks, "sender refused (Send As)", (77,), r"may not send as not-mine@example\.org.*5\.7\.60", ["-i", "-fnot-mine@example.org", "bob@example.org"])
    big = MESSAGE + b"0123456789abcdef0123456789abcde\n" * 2000
    row(stand, checks, "message over the server's SIZE", (65,), r"20000|20 kB|large|big", data=big, door="small")


def certificates(stand, checks):
    mark = len(stand.rig.postfix.log())
    row(stand, checks, "server certificate of an unknown authority", (69,), r"(?i)issuer|authority|CA", ca_file=stand.rig.certificates.other_authority)
    row(stand, checks, "expired certificate", (69,), r"(?i)expired|date|2020", door="expired")
    row(stand, checks, "certificate for another name", (69,), r"mail\.example\.net|(?i:name)", door="wrong-name")
    row(stand, checks, "server without STARTTLS: never plaintext", (69,), r"(?i)STARTTLS|TLS", door="no-starttls")
    log = stand.rig.postfix.log()[mark:]
    checks.check("no token went to any of these servers", "auth=" not in log and "sasl_username" not in log)
    port = random_port()
    row(stand, checks, "server down", (69,), rf"cannot reach {stand.host}:{port}", smtp_port=port)
    row(stand, checks, "TLS server spoken to in plain text", (69, 76), None, smtp_port=stand.rig.port("implicit"), smtp_tls="starttls", timeout="5")
    row(stand, checks, "plain server spoken to in TLS", (69, 76), None, smtp_port=stand.rig.port("starttls"), smtp_tls="implicit", timeout="5")


def tokens(stand, checks):
    identity = stand.rig.identity
    identity.issue_inactive = True
    try:
        before = identity.token_requests
        for auth in ("xoauth2", "oauthbearer"):
            row(stand, checks, f"token refused by the server, {auth}", (78,), r"server refuses the (?:token for|sign-in of) mailer@example\.org; run: mailbearer doctor work \[server: .?535", keyring=f"bad-{auth}", auth=auth)
        checks.check("a refused fresh token is not asked for without end", identity.token_requests - before <= 4)
    finally:
        identity.issue_inactive = False
    configuration = stand.configuration(keyring="dead", secret=False)
    stand.set_secret(configuration, "refresh-token", "rt-long-since-revoked")
    row(stand, checks, "dead refresh token", (78,), r"run: mailbearer login work", keyring="dead", secret=False)
    row(stand, checks, "no refresh token at all", (78,), r"run: mailbearer", keyring="none", secret=False)
    configuration = stand.configuration(keyring="app-wrong", secret=False, grant="app", client_id="rig-app-2")
    stand.set_secret(configuration, "client-secret", "cs-wrong")
    identity.add_client("rig-app-2", "cs-right", "mailer@example.org")
    row(stand, checks, "wrong client secret", (78,), r"mailbearer secret set work client-secret", keyring="app-wrong", secret=False, grant="app", client_id="rig-app-2")
    stand.configuration(keyring="moved")
    row(stand, checks, "refresh token stored for another user", (78,), None, keyring="moved", user="other@example.org")


def token_endpoint(stand, checks):
    identity = stand.rig.identity
    faults = {
        "500": ((500, {"error": "server_error"}, {}), (69,)),
        "503 with Retry-After": ((503, "busy", {"Retry-After": "17"}), (69,)),
        "429": ((429, {"error": "temporarily_unavailable"}, {"Retry-After": "40"}), (69,)),
        "200 with HTML": ((200, "<html>captive portal</html>", {}), (69, 76)),
        "200 without a token": ((200, {"token_type": "Bearer"}, {}), (69, 76)),
        "200 with a control byte in the token": ((200, {"access_token": "a\r\nb", "token_type": "Bearer", "expires_in": 60}, {}), (69, 76)),
        "200 of 9 MB": ((200, {"access_token": "x" * (9 << 20), "token_type": "Bearer"}, {}), (69, 76)),
        "redirect": ((302, "", {"Location": "https://localhost:1/token"}), (69, 76)),
    }
    for name, (fault, codes) in faults.items():
        identity.fault = fault
        try:
            row(stand, checks, f"token endpoint answers {name}", codes, None, keyring="endpoint")
        finally:
            identity.fault = None
    row(stand, checks, "token endpoint down", (69,), r"localhost:", keyring="endpoint-down", token_endpoint=f"https://localhost:{random_port()}/token")


def killed(stand, checks):
    """The front end killed at any moment: nothing, or everything, sent."""
    configuration = stand.configuration()
    body = b"0123456789abcdef0123456789abcde\n" * 6000
    process = stand.start(configuration, BOB, subprocess.PIPE)
    process.stdin.write(MESSAGE + body)
    process.stdin.flush()
    time.sleep(0.1)
    process.kill()
    process.communicate()
    time.sleep(0.3)
    checks.check("killed before the end of standard input: nothing sent", stand.rig.sink.count() == 0)
    wrong = []
    whole = (MESSAGE + body).partition(b"\n\n")[2].replace(b"\n", b"\r\n")
    for turn in range(20):
        process = stand.start(configuration, BOB, subprocess.PIPE)
        process.stdin.write(MESSAGE + body)
        process.stdin.close()
        time.sleep(turn * 0.004)
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        while delivery := stand.rig.sink.take("starttls.rig", 0.25):
            if delivery.message.partition(b"\r\n\r\n")[2] != whole:
                wrong.append(f"turn {turn}: {len(delivery.message)} bytes arrived")
    time.sleep(1)
    for delivery in stand.rig.sink.take_all():
        if delivery.message.partition(b"\r\n\r\n")[2] != whole:
            wrong.append(f"late: {len(delivery.message)} bytes arrived")
    checks.check("killed at 20 moments behind it: nothing or everything", wrong)
