"""SMTP on standard input, -bs (R12, R26; interface facts 2.6 and 3.12), and -bv."""

import os
import select
import signal
import subprocess
import time

from rig import weight


class Dialogue:
    """One sendmail -bs, spoken to as a mail program does."""

    def __init__(self, case, me, *options, crlf=True):
        self.case, self.end = case, b"\r\n" if crlf else b"\n"
        self.process = me.start(*(options or ("-bs",)))
        self.heard = b""

    def reply(self, patience=20):
        """A whole reply, its lines joined."""
        deadline = time.monotonic() + patience
        lines = []
        while True:
            while b"\r\n" not in self.heard:
                ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
                self.case.holds(ready, f"no reply within {patience} s; so far {lines} {self.heard!r}")
                piece = os.read(self.process.stdout.fileno(), 65536)
                self.case.holds(piece, f"the end instead of a reply; so far {lines} {self.heard!r}")
                self.heard += piece
            line, _, self.heard = self.heard.partition(b"\r\n")
            lines.append(line.decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def tell(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def say(self, line, code):
        self.tell(line.encode() + self.end)
        reply = self.reply()
        self.case.same(reply[:3], str(code), f"{line}: {reply}")
        return reply

    def greet(self, hello="HELO [127.0.0.1]"):
        self.case.matches(self.reply(), r"^220 \S+ ESMTP ")
        return self.say(hello, 250)

    def message(self, sender, recipients, content, code=250):
        self.say(f"MAIL FROM:<{sender}>", 250)
        for recipient in recipients:
            self.say(f"RCPT TO:<{recipient}>", 250)
        self.say("DATA", 354)
        self.tell(content)
        reply = self.reply()
        self.case.same(reply[:3], str(code), reply)
        return reply

    def close(self, exit=0):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.case.same(self.process.wait(20), exit)
        rest = self.heard + self.process.stdout.read()
        self.case.same(self.process.stderr.read(), b"", "standard error")
        return rest

    def quit(self):
        self.say("QUIT", 221)
        self.case.same(self.close(), b"")


def agents_of(pid):
    """The processes below it: the agent of a message, and its helper."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return file.read().split()


@weight(2)
def test_26_symfony_two_messages_a_refusal_between_them_and_noop(case):
    box = case.box()
    me = case.person(box)
    talk = Dialogue(case, me)
    talk.greet("HELO [127.0.0.1]")
    # Symfony ends with CRLF dot CRLF even if the text ended in CRLF: one empty line more.
    reply = talk.message("me@sandbox.example", ["ann@example.org", "bob@example.org"],
                         "Subject: one\r\nFrom: Me <me@sandbox.example>\r\n\r\nfirst\r\n..dot\r\n\r\n.\r\n")
    case.matches(reply, r"^250 2\.0\.0 Ok: queued as [0-9a-f]{32}$")
    box.fault("rcpt", reply="550 5.1.1 no such user here", times=1)
    reply = talk.message("me@sandbox.example", ["nobody@example.org"], "Subject: no\r\n\r\nx\r\n.\r\n", code=554)
    case.matches(reply, r"^554 5\.0\.0 not sent \(work\): .*no such user here")
    talk.say("RSET", 250)
    talk.say("NOOP", 250)
    talk.message("me@sandbox.example", ["cy@example.org"], "Subject: two\r\n\r\nsecond\r\n.\r\n")
    talk.quit()
    first, second = box.mails()
    case.same((first.sender, first.recipients), ("me@sandbox.example", ["ann@example.org", "bob@example.org"]))
    case.same(first.body, b"first\r\n.dot\r\n\r\n")
    case.same(first.field("From"), "Me <me@sandbox.example>")
    case.same((second.recipients, second.body), (["cy@example.org"], b"second\r\n"))
    # A missing From is added as with arguments.
    case.same(second.field("From"), "me@sandbox.example")


def test_26_alpine_with_its_options(case):
    box = case.box()
    talk = Dialogue(case, case.person(box), "-bs", "-odb", "-oem")
    offers = talk.greet("EHLO localhost")
    for word in ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE"):
        case.matches(offers, rf"(?m)^250[- ]{word}\b")
    for word in ("STARTTLS", "AUTH", "CHUNKING", "X-MAILBEARER", "X-FILE"):
        case.holds(word not in offers, offers)
    talk.say("MAIL FROM:<me@sandbox.example> BODY=8BITMIME", 250)
    talk.say("RCPT TO:<ann@example.org> NOTIFY=FAILURE", 250)
    talk.say("DATA", 354)
    talk.tell("Subject: pine\r\nBcc: secret@example.org\r\n\r\nGr\u00fc\u00dfe\r\n.\r\n")
    case.same(talk.reply()[:3], "250")
    talk.quit()
    case.same(box.mail().recipients, ["ann@example.org"])
    case.holds(b"secret" not in box.mail().raw, "Bcc leaked")
    case.matches(box.mail().recipient_parameters["ann@example.org"], "NOTIFY=FAILURE")


def test_26_cyrus_does_not_wait_for_the_reply_to_quit(case):
    box = case.box()
    talk = Dialogue(case, case.person(box))
    talk.greet("EHLO localhost")
    talk.message("me@sandbox.example", ["ann@example.org"], "Subject: s\r\n\r\nx\r\n.\r\n")
    talk.tell("QUIT\r\n")
    talk.process.stdout.close()
    talk.process.stdin.close()
    case.same(talk.process.wait(20), 0)
    case.same(len(box.mails()), 1)


@weight(2)
def test_R26_extras_beside_bs_are_ignored(case):
    box = case.box()
    me = case.person(box)
    sent = 0
    for options in (("-bs", "-i"), ("-i", "-bs"), ("-b", "s"), ("-bs", "-t"), ("-bs", "-f", "x@example.org"), ("-bs", "-v"),
                    ("-bs", "--", "evil@example.org"), ("-bs", "evil@example.org"), ("-ibs",), ("-bs", "-oem", "-odb")):
        talk = Dialogue(case, me, *options)
        talk.greet()
        talk.message("me@sandbox.example", ["ann@example.org"], "Bcc: evil@example.org\r\nSubject: s\r\n\r\nx\r\n.\r\n")
        talk.quit()
        sent += 1
        case.same(len(box.mails()), sent, options)
    for mail in box.mails():
        case.same((mail.sender, mail.recipients), ("me@sandbox.example", ["ann@example.org"]))


def test_R12_refused_options_beside_bs_are_told_in_smtp(case):
    me = case.person(case.box())
    for options in (("-bs", "-X", "log"), ("-bs", "-y"), ("-b", "s", "-C", "/etc/passwd")):
        talk = Dialogue(case, me, *options)
        case.matches(talk.reply(), r"^554 5\.3\.3 not sent: ")
        case.same(talk.close(exit=64), b"")


def test_312_lines_that_end_in_LF_alone(case):
    box = case.box()
    talk = Dialogue(case, case.person(box), crlf=False)
    talk.greet("HELO x")
    talk.message("me@sandbox.example", ["ann@example.org"], "Subject: s\n\none\n..two\n.\n")
    talk.quit()
    case.same(box.mail().body, b"one\r\n.two\r\n")


def test_312_in_CRLF_mode_no_other_line_end_ends_the_data(case):
    box = case.box()
    talk = Dialogue(case, case.person(box))
    talk.greet()
    evil = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n"
    talk.message("me@sandbox.example", ["ann@example.org"],
                 "Subject: s\r\n\r\na\n.\n" + evil + "b\n.\r\n" + evil + "c\r.\r" + evil + "d\r\n.\r\n")
    talk.quit()
    case.same(box.mail().recipients, ["ann@example.org"])
    case.same(box.count("smtp.mail"), 1)


def test_312_everything_at_once_without_waiting(case):
    box = case.box()
    me = case.person(box)
    text = ("HELO x\r\nMAIL FROM:<me@sandbox.example>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\n"
            "MAIL FROM:<me@sandbox.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: t\r\n\r\ny\r\n.\r\nQUIT\r\n")
    result = me.send("-bs", text=text)
    case.same((result.code, result.err), (0, ""), repr(result))
    case.same([line[:3] for line in result.out.splitlines()],
              ["220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"])
    case.same([mail.recipients for mail in box.mails()], [["ann@example.org"], ["bob@example.org"]])


def test_312_the_table_of_replies(case):
    box = case.box()
    talk = Dialogue(case, case.person(box))
    case.same(talk.reply()[:3], "220")
    for line, code in (("NOOP", 250), ("VRFY ann", 252), ("EXPN list", 502), ("HELP", 214), ("AUTH PLAIN", 502), ("STARTTLS", 502),
                       ("BDAT 3 LAST", 502), ("NONSENSE", 500), ("RCPT TO:<a@b>", 503), ("DATA", 503),
                       ("MAIL FROM:<me@sandbox.example> X-ACCOUNT=other", 555), ("MAIL FROM:<me@sandbox.example> X-VERIFY", 555),
                       ("MAIL FROM:<a b@c@d>", 553), ("MAIL FROM:<me@sandbox.example>", 250),
                       ("MAIL FROM:<me@sandbox.example>", 503), ("RCPT TO:<a\x01@b>", 553), ("DATA", 503), ("RSET", 250)):
        talk.say(line, code)
    # Without HELO, an unqualified recipient, no bracket.
    talk.say("MAIL FROM:<me@sandbox.example>", 250)
    talk.say("RCPT TO:root", 250)
    talk.say("DATA", 354)
    talk.tell("Subject: s\r\n\r\nx\r\n.\r\n")
    case.same(talk.reply()[:3], "250")
    talk.quit()
    case.same(box.mail().recipients, ["ops@example.net"])


def test_312_too_many_errors_end_the_session(case):
    talk = Dialogue(case, case.person(case.box()))
    talk.tell("x\r\n" * 30)
    rest = talk.close()
    case.same(rest.count(b"\r\n500 "), 20)
    case.matches(rest.decode(), r"421 [^\n]*\n$")


def test_312_the_end_inside_the_data_sends_nothing(case):
    box = case.box()
    for end in ("", "\r\n", "\r\n.", "\r\n.\r"):
        talk = Dialogue(case, case.person(box, name="p" + str(len(end))))
        talk.greet()
        talk.say("MAIL FROM:<me@sandbox.example>", 250)
        talk.say("RCPT TO:<ann@example.org>", 250)
        talk.say("DATA", 354)
        talk.tell("Subject: s\r\n\r\nhalf" + end)
        case.same(talk.close(), b"")
    case.same(box.count("smtp.connect"), 0)


def test_312_verdicts_tell_a_repeat_from_a_refusal(case):
    box = case.box()
    me = case.person(box)
    talk = Dialogue(case, me)
    talk.greet()
    data = "Subject: s\r\n\r\nx\r\n.\r\n"
    box.fault("rcpt", reply="450 4.2.1 mailbox busy", times=1)
    case.matches(talk.message("me@sandbox.example", ["ann@example.org"], data, 451), r"^451 4\.3\.0 not sent \(work\): ")
    box.fault("end", reply="554 5.7.1 content refused", times=1)
    case.matches(talk.message("me@sandbox.example", ["ann@example.org"], data, 554), r"^554 5\.0\.0 not sent \(work\): ")
    # Nobody may use this sender: permanent; the session goes on.
    case.matches(talk.message("x@elsewhere.example", ["ann@example.org"], data, 554), "554 .*x@elsewhere.example")
    box.fault("end", action="close", times=1)
    case.matches(talk.message("me@sandbox.example", ["ann@example.org"], data, 554), r"^554 .*outcome unknown")
    talk.message("me@sandbox.example", ["ann@example.org"], data, 250)
    talk.quit()


def test_312_no_account_at_all_is_told_in_smtp(case):
    me = case.person(config="[mailbearer]\nunknown = 1\n")
    talk = Dialogue(case, me)
    talk.greet()
    talk.say("MAIL FROM:<a@example.org>", 250)
    talk.say("RCPT TO:<b@example.org>", 250)
    talk.say("DATA", 354)
    talk.tell("Subject: s\r\n\r\nx\r\n.\r\n")
    case.matches(talk.reply(), r"^[45]5[14] [45]\.\d\.\d not sent: ")
    talk.say("RSET", 250)
    talk.quit()


def test_26_nothing_is_held_while_the_session_is_idle(case):
    """An agent a message: between two no process of ours, no connection; a token that expired meanwhile is refreshed."""
    box = case.box("--strict-rotation")
    talk = Dialogue(case, case.person(box))
    talk.greet()
    talk.message("me@sandbox.example", ["ann@example.org"], "Subject: s\r\n\r\nx\r\n.\r\n")
    case.wait_for(lambda: not agents_of(talk.process.pid) or all(is_dead(pid) for pid in agents_of(talk.process.pid)),
                  "the end of the agent")
    open_sockets = [os.readlink(f"/proc/{talk.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{talk.process.pid}/fd")]
    case.same([one for one in open_sockets if one.startswith("socket:")], [], "a descriptor is held while idle")
    box.access_state("me@sandbox.example", "expired")
    talk.say("NOOP", 250)
    talk.message("me@sandbox.example", ["bob@example.org"], "Subject: s\r\n\r\nx\r\n.\r\n")
    talk.quit()
    case.same(len(box.mails()), 2)
    case.same(box.token_requests(), 2)


def is_dead(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_26_ended_agents_are_no_zombies(case):
    """A queue worker keeps one -bs for days: its agents must not pile up in the process table."""
    box = case.box()
    talk = Dialogue(case, case.person(box))
    talk.greet()
    for _ in range(4):
        talk.message("me@sandbox.example", ["ann@example.org"], "Subject: s\r\n\r\nx\r\n.\r\n")
    case.wait_for(lambda: all(is_dead(pid) for pid in agents_of(talk.process.pid)), "the ends of four agents")
    talk.message("me@sandbox.example", ["ann@example.org"], "Subject: s\r\n\r\nx\r\n.\r\n")
    case.holds(len(agents_of(talk.process.pid)) <= 1, "agents that ended are left")
    talk.quit()


def test_R12_standard_output_and_error_in_one_pipe(case):
    """alpine: what stands on standard error would be read as SMTP."""
    me = case.person(config="[mailbearer]\nunknown = 1\n")
    process = me.start("-bs", environment=None)
    process.stdin.write(b"HELO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: s\r\n\r\nx\r\n.\r\nQUIT\r\n")
    process.stdin.close()
    out = process.stdout.read()
    case.same(process.wait(20), 0)
    case.same(process.stderr.read(), b"")
    for line in out.decode().splitlines():
        case.matches(line, r"^\d{3}[ -]")
        case.holds(len(line) <= 510, line)


def test_R15_a_message_in_place_of_smtp_is_not_answered_with_0(case):
    """-bs smuggled into PHP's fifth parameter: the mail is not sent, and the caller hears it."""
    box = case.box()
    me = case.person(box)
    result = me.send("-t", "-i", "-bs", text="To: ann@example.org\nSubject: s\n\nx\n")
    case.same((result.code, result.err), (76, ""), repr(result))
    case.same(box.mails(), [])


def test_34_bv_tells_account_transport_sender_and_final_addresses(case):
    box = case.box()
    me = case.person(box, main="local_mail_to = ops@example.net")
    (me.folder / "aliases").write_text("root: admin@example.net, second@example.net\n")
    result = me.send("-bv", "-f", "me@sandbox.example", "root", "Ann <ann@exämple.org>", "alice@localhost", stdin=subprocess.DEVNULL)
    case.same((result.code, result.err), (0, ""), repr(result))
    case.same(result.out.splitlines(), [
        "account: work", f"transport: smtp (127.0.0.1:{box.smtp_port})", "sender: <me@sandbox.example>",
        "recipient: root -> admin@example.net, second@example.net", "recipient: ann@exämple.org -> ann@xn--exmple-cua.org",
        "recipient: alice@localhost -> ops@example.net"])
    case.same((box.mails(), box.count("smtp.connect"), box.token_requests()), ([], 0, 0))


def test_34_bv_by_graph_and_by_another_account(case):
    box = case.box()
    me = case.person(box, accounts={"work": "", "other": box.graph()})
    result = me.send("-bv", "-a", "other", "-f", "<>", "ann@example.org", stdin=subprocess.DEVNULL)
    case.same(result.code, 0, repr(result))
    case.matches(result.out, r"^account: other\ntransport: graph \(https://\S+\)\nsender: <\S*>\nrecipient: ann@example.org -> ann@")


def test_34_bv_refuses_what_sending_would_refuse(case):
    box = case.box()
    me = case.person(box)
    result = me.send("-bv", "alice", "ann@example.org", stdin=subprocess.DEVNULL)
    case.same(result.code, 67, repr(result))
    case.matches(result.out, r"recipient: alice -> refused: [^\n]+\nrecipient: ann@example.org -> ann@example.org\n$")
    case.matches(result.err, r"^sendmail: not sent \(work\): [^\n]*alice[^\n]*\n$")
    result = me.send("-bv", "-f", "x@elsewhere.example", "ann@example.org", stdin=subprocess.DEVNULL)
    case.same(result.code, 77, repr(result))
    me.send("-bv", stdin=subprocess.DEVNULL).failed(64, "not sent: no recipient given; .*")
    me.send("-bv", "a@@b", stdin=subprocess.DEVNULL).failed(65, "not sent: bad address .*")
    # With -t it was meant as mail, which -bv would lose.
    me.send("-bv", "-t", text="To: ann@example.org\n\nx\n").failed(64, "not sent: recipients or -t beside .*")
    case.same(box.mails(), [])


def test_34_bv_reads_no_standard_input(case):
    box = case.box()
    me = case.person(box)
    process = me.start("-bv", "ann@example.org")
    case.same(process.wait(20), 0)  # standard input is still open
    process.send_signal(signal.SIGTERM) if process.poll() is None else None
