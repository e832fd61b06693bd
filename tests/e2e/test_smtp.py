"""The dialogue with the provider: where it may break, and what may never happen then (P1 to P13 of the reliability facts)."""

from rig import BODY, weight

BEFORE_THE_DOT = ("banner", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "mid-data")


@weight(4)
def test_the_provider_closes_or_resets_at_each_stage(case):
    box = case.box()
    me = case.person(box, account="timeout = 5s")
    for stage in BEFORE_THE_DOT:
        for action in ("close", "reset"):
            box.fault(stage, action=action)
            # Larger than what fits between two sockets: the end of the message must not be on its way already.
            text = BODY + "A line of a message that is cut off.\n" * (400_000 if stage == "mid-data" else 1)
            result = me.send("-i", "ann@example.org", text=text)
            result.failed(69, r"not sent \(work\): .*(closed the connection|failed|cannot reach|cut off).*; .*")
            case.same(box.mails(), [], f"{action} at {stage}")
            box.reset()
    # After the verdict nothing can take it back.
    for number, action in enumerate(("close", "reset", "hang"), 1):
        box.fault("quit", action=action)
        result = me.send("-i", "ann@example.org").succeeded()
        case.holds(result.seconds < 3, f"waited {result.seconds} s for the answer to QUIT")
        case.same(len(box.mails()), number)
        box.reset()


@weight(3)
def test_replies_of_every_class_at_each_stage(case):
    box = case.box()
    me = case.person(box)
    wanted = {
        ("banner", "421 4.3.2 Service not available"): 69, ("banner", "554 5.3.2 no"): 78,
        ("ehlo", "421 4.3.0 later"): 69, ("ehlo", "550 5.7.1 no"): 76, ("starttls", "454 4.7.0 TLS not available"): 69,
        ("starttls", "500 5.5.1 no"): 69, ("auth", "454 4.7.0 Temporary authentication failure"): 69,
        ("mail", "451 4.7.500 Server busy"): 69, ("mail", "550 5.1.8 Access denied, bad outbound sender"): 77,
        ("rcpt", "451 4.7.500 Server busy"): 69, ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"): 67,
        ("rcpt", "452 4.2.2 mailbox full"): 69, ("data", "451 4.3.0 later"): 69, ("data", "554 5.6.0 no"): 65,
        ("end", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded"): 69,
        ("end", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"): 77,
        ("end", "554 5.2.0 SubmissionQuotaExceededException"): 69, ("end", "552 5.3.4 Message size exceeds fixed limit"): 65,
        ("end", "250-2.0.0 first\n550 5.6.0 of two minds"): 69, ("end", "354 go on"): 69, ("mail", "199 odd"): 76,
    }
    for (stage, reply), code in wanted.items():
        box.fault(stage, reply=reply)
        result = me.send("-i", "ann@example.org")
        case.same(result.code, code, f"{stage}: {reply}: {result!r}")
        case.matches(result.err, r"^sendmail: (not sent|outcome unknown, may have been delivered) \(work\): [^\n]+\n$", stage)
        box.reset()
    case.same(box.mails(), [])
    me.send("-i", "ann@example.org").succeeded()


def test_a_flood_of_reply_lines_is_bounded(case):
    box = case.box()
    me = case.person(box)
    for stage in ("banner", "ehlo", "rcpt"):
        box.fault(stage, action="flood")
        result = me.send("-i", "ann@example.org")
        case.holds(result.code in (69, 76), repr(result))
        case.holds(result.seconds < 5, f"{stage}: {result.seconds} s")
        box.reset()
    case.same(box.mails(), [])


@weight(3)
def test_a_slow_provider_is_waited_for(case):
    box = case.box("--tarpit-ms", "300")
    me = case.person(box, account="timeout = 2s")
    box.fault("banner", delay_ms=400)
    box.fault("rcpt", delay_ms=400)
    box.fault("end", delay_ms=2500)
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)


@weight(5)
def test_a_provider_that_dribbles_is_given_up(case):
    box = case.box()
    me = case.person(box, account="timeout = 1s")
    box.fault("ehlo", action="slow")
    result = me.send("-i", "ann@example.org")
    case.same(result.code, 69, repr(result))
    case.holds(result.seconds < 20, f"{result.seconds} s")
    case.same(box.mails(), [])


def test_no_starttls_no_mail(case):
    box = case.box("--without", "STARTTLS")
    me = case.person(box)
    me.send("-i", "ann@example.org").failed(69, r"not sent \(work\): 127\.0\.0\.1:\d+ offers no STARTTLS; .*")
    case.same(box.count("smtp.auth.start"), 0)
    case.same(box.mails(), [])


def test_words_behind_the_starttls_reply_are_refused(case):
    box = case.box()
    me = case.person(box)
    box.fault("starttls", reply="220 2.0.0 ready\n250 2.0.0 injected")
    result = me.send("-i", "ann@example.org")
    result.failed(76, r"not sent \(work\): 127\.0\.0\.1:\d+ sent more than it was asked after STARTTLS; .*")
    case.same(box.mails(), [])


def test_implicit_tls(case):
    box = case.box()
    me = case.person(box, account=f"smtp_tls = implicit\nsmtp_port = {box.smtps_port}")
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 1)
    case.same(box.count("smtp.starttls"), 0)


def test_oauthbearer(case):
    box = case.box("--oauthbearer")
    me = case.person(box, account="auth = oauthbearer")
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.mail().user, "me@sandbox.example")
    box.access_state("me@sandbox.example", "revoked")
    box.refresh_state("me@sandbox.example", "expired")
    me.send("-i", "ann@example.org").failed(78, r"not sent \(work\): .*")
    case.same(box.count("smtp.auth.challenge", outcome="wrong answer"), 0)


def test_the_error_challenge_is_answered(case):
    box = case.box("--challenge")
    me = case.person(box, accounts={"site": "user = shared@sandbox.example"})
    me.send("-i", "ann@example.org").failed(78, r"not sent \(site\): server refuses the sign-in of shared@sandbox\.example; .*")
    case.same(box.count("smtp.auth.challenge", outcome="wrong answer"), 0)
    case.holds(box.count("smtp.auth.challenge", outcome="answered") > 0, "no challenge")


def test_the_initial_response_by_sasl_ir(case):
    box = case.box()
    for word, outcome in (("yes", "initial response"), ("no", "two steps"), ("auto", None)):
        me = case.person(box, name=word, account=f"sasl_ir = {word}")
        me.send("-i", "ann@example.org").succeeded()
        if outcome:
            case.same(box.count("smtp.auth.start", outcome=outcome) > 0, True, word)
    strict = case.box("--strict-auth-line")
    case.person(strict, name="strict", account="sasl_ir = auto").send("-i", "ann@example.org").succeeded()
    case.same(strict.count("smtp.auth", outcome="500"), 0)


def test_a_server_that_offers_no_way_to_sign_in(case):
    box = case.box("--without", "AUTH")
    me = case.person(box)
    result = me.send("-i", "ann@example.org")
    case.holds(result.code in (76, 78), repr(result))
    case.matches(result.err, r"^sendmail: not sent \(work\): [^\n]*(XOAUTH2|sign)[^\n]*\n$")
    case.same(box.mails(), [])


def test_servers_without_extensions(case):
    for number, without in enumerate(("PIPELINING", "SIZE", "DSN,SIZE,PIPELINING,8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8")):
        box = case.box("--without", without)
        me = case.person(box, name=f"p{number}")
        me.send("-i", "-N", "failure", "ann@example.org", "bob@example.org").succeeded()
        case.same(box.mail().recipients, ["ann@example.org", "bob@example.org"], without)


def test_the_body_is_dot_stuffed_on_the_wire(case):
    box = case.box()
    me = case.person(box)
    body = "".join(f"{'.' * n}x\n" for n in range(4)) + ".\n..\n"
    me.send("-i", "ann@example.org", text="Subject: dots\n\n" + body).succeeded()
    case.same(box.mail().body, body.encode().replace(b"\n", b"\r\n"))


def test_bytes_of_every_value_arrive(case):
    box = case.box()
    me = case.person(box)
    body = b"".join(bytes([value]) * 3 + b"\n" for value in range(1, 256) if value not in (10, 13))
    me.send("-i", "ann@example.org", text=b"Subject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n"
            b"Content-Transfer-Encoding: 8bit\n\n" + body).succeeded()
    case.same(box.mail().body, body.replace(b"\n", b"\r\n"))


def test_a_revoked_cached_token_is_replaced_once(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ann@example.org").succeeded()
    box.access_state("me@sandbox.example", "revoked")
    me.send("-i", "ann@example.org").succeeded()
    case.same(len(box.mails()), 2)
    case.same(box.token_requests(), 2)
    me.send("-i", "ann@example.org").succeeded()
    case.same(box.token_requests(), 2, "the fresh one was kept")


def test_a_server_that_offers_chunking_and_refuses_it_gets_data(case):
    """Exchange Online, as a generic account: the first message takes a second connection, later ones know."""
    box = case.box()
    runtime = case.folder / "runtime"
    runtime.mkdir(mode=0o700)
    me = case.person(box, account="chunking = yes", main=f"runtime_dir = {runtime}")
    for number, started in ((1, 2), (2, 3), (3, 4)):
        me.send("-i", "ann@example.org").succeeded()
        case.same(len(box.mails()), number)
        case.same(box.count("smtp.mail"), started, "transactions begun")
