"""The rows P9 to P14: who the server is, what it offers, how it is found. See table.py."""

import base64
import json

import certificates
import network
from faults import (
    CLOSE_NOTIFY, CUT, FORGED_ALERT, FORGED_RECORD, NO_RECORD, PLAIN_AFTER_STARTTLS, RECORDS, TLS_FAULTS, Fault, says,
    surplus)
from rows import (
    BEFORE, CONTENT, ENVELOPE, LOST, NOT_SENT, REPLY_S, SENT, SERVERS, SIGN_IN, SILENT, SLACK_S, TEMPORARY, UNKNOWN,
    at, end_has_left, kind_of_words, lost_or)
from stand import KEYWORDS, Case, Expect

# --- P9: who is it?

def p9(make):
    words = NOT_SENT + r"(certificate of|TLS with) .*; "
    for implicit in (False, True):
        how = "implicit TLS" if implicit else "STARTTLS"
        base = dict(implicit=implicit, distrusted=True, met=False)
        for name, (_, host) in make.bad.items():
            for newest in ("TLSv1_2", "TLSv1_3"):
                yield Case(f"P9 {name}, {how}, {newest}", Expect((69,), words), tls=(name, newest, None), host=host,
                           pinned=newest == "TLSv1_3" and not implicit, **base)
            if host != certificates.DEEP_HOST:
                yield Case(f"P9 {name}, {how}, where a good server was", Expect((69,), words), tls=(name, None, None), host=host,
                           before=True, again=True, **base)
        for name, newest, ciphers in (("TLS 1.0", "TLSv1", "ALL:@SECLEVEL=0"), ("TLS 1.1", "TLSv1_1", "ALL:@SECLEVEL=0"),
                                      ("no encryption", "TLSv1_2", "eNULL:@SECLEVEL=0"),
                                      ("no authentication", "TLSv1_2", "aNULL:@SECLEVEL=0")):
            yield Case(f"P9 {name}, {how}", Expect((69,), words), tls=("good", newest, ciphers), **base)
        yield Case(f"P9 a wildcard that fits, {how}", SENT, tls=("wildcard", None, None), host=certificates.HOST,
                   implicit=implicit, met=False)
        yield Case(f"P9 a name that fits, {how}", SENT, host=certificates.HOST, implicit=implicit, met=False)
        yield Case(f"P9 localhost, {how}", SENT, host="localhost", implicit=implicit, met=False)
    yield from sound_servers(make)
    for fault in TLS_FAULTS:
        for implicit in (False, True):
            expect = SILENT if fault.waits else Expect((69, 76), NOT_SENT)
            yield Case(f"P9 {fault.name} in the handshake, {'implicit' if implicit else 'STARTTLS'}", expect, faults={"TLS": fault},
                       implicit=implicit, distrusted=True, waits=fault.waits, limit=REPLY_S + SLACK_S, again=not fault.waits,
                       pinned=not implicit)


def sound_servers(make):
    """What is refused is one half; the other is that nothing sound is: TLS 1.2 and 1.3 as servers have it today."""
    for name in make.sound:
        for newest in ("TLSv1_2", "TLSv1_3"):
            # Twice each: with a full handshake, and with what was kept of it.
            yield Case(f"P9 sound: {name}, {newest}", SENT, tls=(name, newest, None), met=False, again=True)
    for suite in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
                  "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA",
                  "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA"):
        yield Case(f"P9 sound: {suite}", SENT, tls=("key-rsa2048", "TLSv1_2", suite), met=False, again=True)
    for group in ("prime256v1", "secp384r1", "secp521r1", "X25519", "X448"):
        for newest in ("TLSv1_2", "TLSv1_3"):
            yield Case(f"P9 sound: {group}, {newest}", SENT, tls=("good", newest, None, group), met=False)
    # By openssl s_server, where Python has no switch.
    for options in ("-ciphersuites TLS_AES_128_GCM_SHA256", "-ciphersuites TLS_AES_256_GCM_SHA384", "-groups ffdhe2048",
                    "-ciphersuites TLS_CHACHA20_POLY1305_SHA256", "-num_tickets 0", "-num_tickets 20", "-no_ticket"):
        yield Case(f"P9 sound: {options}", SENT, openssl=("-tls1_3 " + options, b"", ""), implicit=True, met=False)


# --- P10, P11: what is offered before and inside TLS.

def p10():
    none = Expect((69,), NOT_SENT + r".* offers no STARTTLS; ")
    for name, keywords in (("not offered", ["SIZE 1000", "PIPELINING", server_auth()]), ("stripped", ["SIZE 1000", "XXXXXXXA"]),
                           ("only in the greeting", []), ("inside a word", ["XSTARTTLS", "STARTTLSX", "X STARTTLS"])):
        yield Case(f"P10 STARTTLS {name}", none, plain_keywords=keywords, distrusted=True, met=False, pinned=True)
    behind = {
        "a reply": b"250 2.0.0 injected\r\n", "capabilities": b"250-evil\r\n250 AUTH XOAUTH2 PLAIN\r\n", "an empty line": b"\r\n",
        "an octet": b"2", "a second go-ahead": b"220 2.0.0 again\r\n",
        "a whole dialogue": b"250 ok\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 ok\r\n250 ok\r\n",
    }
    for name, octets in behind.items():
        yield Case(f"P10 {name} behind the reply to STARTTLS", Expect((76,), NOT_SENT), distrusted=True, again=True, pinned=True,
                   faults={"STARTTLS": surplus(octets, name)})
    yield Case("P10 a go-ahead, and no TLS", Expect((69, 76), NOT_SENT), distrusted=True, faults={"STARTTLS": PLAIN_AFTER_STARTTLS})
    for reply in ("220-more\r\n220 2.0.0 go ahead", "250 go ahead", "299 go ahead"):
        # Any 2xx may be a yes; the server of the test begins TLS then.
        yield from at("P10", "STARTTLS", says(reply, True), Expect((0, 69, 76), NOT_SENT))
    plain = ["STARTTLS", "PIPELINING", "CHUNKING", "SMTPUTF8", "8BITMIME", "DSN", "SIZE 10", "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"]
    # What was offered before TLS is forgotten: the server complains about each use of it.
    yield Case("P10 nothing offered after TLS but AUTH", SENT, plain_keywords=plain, keywords=[], met=False, pinned=True)
    yield Case("P10 nothing offered before TLS but STARTTLS", SENT, plain_keywords=["STARTTLS"], met=False)
    yield Case("P10 STARTTLS offered again inside TLS", SENT, keywords=[*KEYWORDS, "STARTTLS"], met=False)


def server_auth():
    return "AUTH XOAUTH2 OAUTHBEARER PLAIN"


def p11():
    nothing = Expect((78,), NOT_SENT)
    plain = ["STARTTLS", server_auth()]
    for name, mechanisms in (("only before TLS", ""), ("with passwords only", "AUTH PLAIN LOGIN CRAM-MD5"),
                             ("with no mechanism", "AUTH"), ("of a longer name", "AUTH XOAUTH2X XOAUTH"), ("misspelt", "AUT XOAUTH2")):
        yield Case(f"P11 AUTH offered {name}", nothing, plain_keywords=plain, mechanisms=mechanisms, met=False,
                   check=no_sign_in, pinned=True)
    for name, mechanisms in (("in lower case", "auth xoauth2"), ("the old way", "AUTH=XOAUTH2")):
        yield Case(f"P11 AUTH offered {name}", SENT, mechanisms=mechanisms, met=False)
    yield Case("P11 AUTH offered twice", SENT, keywords=["AUTH LOGIN", *KEYWORDS], mechanisms="AUTH XOAUTH2", met=False)
    reason = base64.b64encode(json.dumps({"status": "401", "schemes": "bearer", "scope": "https://x/"}).encode()).decode()
    challenges = [
        ("a JSON challenge", [reason]), ("a JSON challenge of status 400", [base64.b64encode(b'{"status":"400"}').decode()]),
        ("an empty challenge", [""]), ("a challenge that is no base64", ["???"]), ("a challenge of 1900 octets", ["eyJ4" * 475]),
        ("a challenge of control octets", [base64.b64encode(b"\x1b[2J\r\nx\0").decode()]), ("ten challenges", [reason] * 10),
    ]
    for auth, answer in (("xoauth2", b""), ("oauthbearer", b"AQ==")):
        for stage in ("AUTH", "AUTH-challenge"):
            for name, said in challenges:
                keys = {"auth": auth, "sasl_ir": "yes" if stage == "AUTH" else "no"}
                fault = Fault(f"{name} to {auth}", challenge(said, answer))
                codes = (78,) if len(said) == 1 else (69, 76, 78)
                yield from at("P11", stage, fault, Expect(codes, NOT_SENT), keys=keys)
    endless = Fault("endless challenges", challenge([reason] * 100_000, None))
    yield from at("P11", "AUTH", endless, Expect((69, 76, 78), NOT_SENT))


def challenge(said, answer):
    """Challenges with reasons, then the refusal; what the client answers must be what the mechanism asks for."""

    def do(session):
        for number, one in enumerate(said):
            session.send(b"334 " + one.encode() + b"\r\n")
            given = session.response()
            if given == b"*":
                session.send(b"501 5.0.0 cancelled\r\n")
                return
            if number == 0 and answer is not None and given != answer:
                session.complain(f"the challenge was answered by {given[:40]!r}")
        session.send(b"535 5.7.3 Authentication unsuccessful\r\n")

    return do


def no_sign_in(outcome, seen, slot):
    return ["a token was offered"] if any(one.sign_ins for one in seen) else []


# --- P12: the end of TLS is the end of what can be believed.

def p12():
    for stage in BEFORE[3:] + SIGN_IN + ENVELOPE + CONTENT + ("QUIT",):
        yield from at("P12", stage, CLOSE_NOTIFY, lost_or(LOST))
        for fault in CUT:
            yield from at("P12", stage, fault, lost_or(LOST), pinned=stage == "end")
        if stage == "BDAT":
            continue
        for fault in (NO_RECORD, FORGED_RECORD, FORGED_ALERT):
            yield from at("P12", stage, fault, lost_or(TEMPORARY))
        for fault in RECORDS:
            yield from at("P12", stage, fault, SENT)
    for stage in ("banner", "EHLO"):
        for fault in CUT:
            yield from at("P12", stage, fault, LOST)
    for stage in ("EHLO2", "MAIL", "end"):
        yield from at("P12 resumed,", stage, CUT[0], lost_or(LOST), before=True, resumes=True)
        yield from at("P12 resumed,", stage, FORGED_RECORD, lost_or(TEMPORARY), before=True, resumes=True)
    for fault in TLS_FAULTS:
        if not fault.waits:
            yield Case(f"P12 {fault.name} in the handshake, where a session could be resumed", Expect((0, 69, 76), NOT_SENT),
                       faults={"TLS": fault}, connections=1, before=True, met=False, again=True)


    # By openssl s_server: at its letters, see its manual.
    for stage in ("EHLO2", "AUTH", "MAIL", "RCPT1", "DATA", "end", "QUIT", "every"):
        met = stage != "QUIT"
        yield Case(f"P12 key update at {stage}", SENT, openssl=("-tls1_3", b"k", stage), implicit=True, met=met)
        yield Case(f"P12 key update of both sides at {stage}", SENT, openssl=("-tls1_3", b"K", stage), implicit=True, met=met)
        # Refused by the client; what the server makes of that is its own affair.
        lost = SENT if stage == "QUIT" else Expect((0, 69, 76), UNKNOWN.words if stage == "end" else NOT_SENT)
        yield Case(f"P12 renegotiation at {stage}", lost, openssl=("-tls1_2", b"r", stage), implicit=True, met=met)


# --- P13: offers that are not kept, or not meant.

def p13():
    too_small = Expect((65,), NOT_SENT + r".*too large")
    for limit in ("1", "50", "100"):
        for pipelining, chunking in SERVERS:
            yield Case(f"P13 SIZE {limit} {kind_of_words(pipelining, chunking)}", too_small, met=False, check=no_mail_command,
                       keywords=[f"SIZE {limit}", "8BITMIME"] + ["PIPELINING"] * pipelining + ["CHUNKING"] * chunking)
    for keyword in ("SIZE", "SIZE 0", "SIZE abc", "SIZE -1", "SIZE 99999999999999999999999", "SIZE 1x", "size 9999999", "SIZE=9999999"):
        yield Case(f"P13 {keyword}", SENT, keywords=[keyword, "8BITMIME", "PIPELINING", "CHUNKING"], met=False)
    long_names = [f"X{number}-" + "y" * 1900 for number in range(20)]
    for name, keywords in (("sixty unknown keywords", [f"XKEY{number} a b c" for number in range(60)]),
                           ("keywords of 1900 octets", long_names), ("8-bit keywords", ["\u00e9t\u00e9"]), ("blank keywords", [" ", "\t"]),
                           ("keywords in lower case", ["8bitmime", "pipelining", "dsn", "smtputf8"]),
                           ("keywords with words behind them", ["PIPELINING yes", "8BITMIME x y"])):
        yield Case(f"P13 {name}", SENT, keywords=keywords, met=False)
    # What was sent ahead is thrown away, as a server does that only claims to pipeline.
    for stage, recipients in (("MAIL", 1), ("MAIL", 3), ("RCPT1", 3)):
        fault = Fault("pipelined input thrown away", throw_away, good=True, waits=True)
        for case in at("P13", stage, fault, SILENT, recipients=recipients):
            if case.pipelining and not end_has_left(stage, case):
                case.name += f" to {recipients}"
                yield case


def throw_away(session):
    session.send(session.reply_to_give)
    session.buffer.clear()
    session.held_back = True
    session.push()


def no_mail_command(outcome, seen, slot):
    if any(command.startswith("MAIL") for one in seen for command in one.commands):
        return ["MAIL was sent to a server that named its limit"]
    return []


# --- P14: names and addresses.

def p14():
    unknown = Expect((69,), NOT_SENT + r"cannot reach \S+ \(.*; ")
    quick = dict(met=False, bind=None, waits=True)
    for name in ("missing", "servfail", "refused", "empty", "circle", "silent", "garbage", "other-id", "cut"):
        yield Case(f"P14 a name server that says: {name}", unknown, host=f"{name}.dns.example", limit=1 + SLACK_S, **quick)
    yield Case("P14 a black hole", Expect((69,), NOT_SENT + r"cannot reach .*timed out after 1 s"), host=network.HOLE_V4,
               limit=1 + SLACK_S, **quick)
    yield Case("P14 a black hole of IPv6", Expect((69,), NOT_SENT + r"cannot reach .*timed out after 1 s"), host=network.HOLE_V6,
               limit=1 + SLACK_S, **quick)
    yield Case("P14 four black holes", Expect((69,), NOT_SENT + r"cannot reach .*timed out after 1 s"), host="only-holes.dns.example",
               limit=1 + SLACK_S, **quick)
    yield Case("P14 fifty addresses, all refuse", unknown, host="fifty.dns.example", limit=2 + SLACK_S, **quick)
    yield Case("P14 a name with a trailing dot", SENT, host="good.dns.example.", met=False)
    yield Case("P14 an ordinary name", SENT, host="good.dns.example", met=False)
    yield Case("P14 a name of IPv6", SENT, host="v6.dns.example", bind="::1", met=False)
    yield Case("P14 IPv6 refuses, IPv4 answers", SENT, host="v6-refused.dns.example", met=False)
    yield Case("P14 localhost on IPv6 alone", SENT, host="localhost", bind="::1", met=False)
    yield Case("P14 a black hole of IPv6, IPv4 answers", SENT, host="v6-hole.dns.example", bind=network.NEAR, met=False, waits=True,
               limit=1 + SLACK_S)
    yield Case("P14 three black holes of IPv6, IPv4 answers", SENT, host="v6-holes.dns.example", bind=network.NEAR, met=False,
               waits=True, limit=1 + SLACK_S)
    for place in (2, 10, 16):
        yield Case(f"P14 address {place} of fifty answers", SENT, host="fifty.dns.example", bind=network.FIFTY[place - 1], met=False)
