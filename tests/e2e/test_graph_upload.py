"""graph_large = upload: a message too large for one call of Graph goes as a draft and its attachments."""

import email.message
import email.policy
import hashlib
import os
import re
import signal
import threading

from rig import Mismatch, plain_build_only, weight

SLICE = 12 * 320 * 1024
SCOPE = "scope = https://graph.microsoft.com/Mail.Send https://graph.microsoft.com/Mail.ReadWrite offline_access\n"
UNKNOWN = r"outcome unknown, may have been delivered \(work\): .*"


def person(case, box, extra="", **how):
    return case.person(box, account=box.graph(extra=SCOPE + "graph_large = upload\n" + extra), **how)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Letter:
    """A message with attachments (name, size) and an inline image."""

    def __init__(self, *attachments, inline=0, small=b""):
        message = email.message.EmailMessage()
        message["From"] = "me@sandbox.example"
        message["To"] = "Ann <ann@example.org>"
        message["Subject"] = "Urlaubsfotos für alle"
        message["Message-ID"] = "<one@sandbox.example>"
        message["Date"] = "Fri, 20 Nov 2026 12:00:00 +0000"
        message["X-Mine"] = "1"
        message["In-Reply-To"] = "<zero@sandbox.example>"
        message.set_content("Here they are.\n")
        message.add_alternative("<p>Here they are: <img src=\"cid:logo@x\"></p>\n", subtype="html")
        self.inline = os.urandom(inline)
        if inline:
            message.get_payload()[1].add_related(self.inline, "image", "png", cid="<logo@x>", filename="logo.png",
                                                 disposition="inline")
        self.parts = []
        for name, size in attachments:
            self.parts.append((name, os.urandom(size)))
            message.add_attachment(self.parts[-1][1], "application", "zip", filename=name)
        self.bytes = message.as_bytes(policy=email.policy.SMTP).replace(b"\r\n", b"\n")

    def arrived(self, case, mail):
        """Every part equal, in order, with its name; the header as it was."""
        got = mail.parsed()
        case.same(mail.recipients, ["ann@example.org"])
        for name, value in (("Subject", "Urlaubsfotos für alle"), ("Message-ID", "<one@sandbox.example>"), ("X-Mine", "1"),
                            ("In-Reply-To", "<zero@sandbox.example>"), ("From", "me@sandbox.example"),
                            ("To", "Ann <ann@example.org>")):
            case.same(str(got[name]), value)
        leaves = [part for part in got.walk() if not part.is_multipart()]
        case.same([part.get_content_type() for part in leaves[:2]], ["text/plain", "text/html"])
        case.same(leaves[0].get_content().replace("\r\n", "\n"), "Here they are.\n")
        attached = [part for part in leaves if part.get_content_disposition() == "attachment"]
        case.same([(part.get_filename(), digest(part.get_content())) for part in attached],
                  [(name, digest(data)) for name, data in self.parts])
        images = [part for part in leaves if part.get_content_type() == "image/png"]
        if self.inline:
            case.same([(part["Content-ID"], part.get_filename(), part.get_content_disposition(), digest(part.get_content()))
                       for part in images], [("<logo@x>", "logo.png", "inline", digest(self.inline))])


def nothing_left(case, box):
    case.same(box.drafts(), {"drafts": [], "sessions": 0})


def no_bearer_on_uploads(case, box):
    case.same([line for line in box.journal() if "slice" in line["event"] and "401" in line.get("outcome", "")], [])


@weight(8)
def test_twenty_megabytes_with_broken_slices_and_an_expired_session(case):
    """The issue's own case: three attachments and an inline image, one slice failing twice, one session expiring."""
    box = case.box()
    me = person(case, box)
    letter = Letter(("one.zip", 7_000_000), ("zwei ü.zip", 4_500_000), ("three.zip", 4_100_000), inline=3_500_000)
    case.holds(len(letter.bytes) > 20_000_000, "too small")
    box.fault("graph.slice", status=503, skip=2, times=2)
    # Then one passes. The next is taken, and its answer late: by then its session has expired.
    box.fault("graph.slice", skip=1, delay_ms=3000)
    done = []
    sender = threading.Thread(target=lambda: done.append(me.send("-t", "-i", text=letter.bytes)))
    sender.start()
    case.wait_for(lambda: box.count("graph.slice") >= 6, "six slices", 30)
    box.control("sessions", expired=True)
    sender.join()
    done[0].succeeded()
    letter.arrived(case, box.mail())
    nothing_left(case, box)
    no_bearer_on_uploads(case, box)
    outcomes = [line["outcome"][:3] for line in box.journal() if line["event"] == "graph.slice"]
    case.same((outcomes.count("503"), outcomes.count("404")), (2, 1))
    case.same((box.count("graph.draft"), box.count("graph.send"), box.count("graph.session")), (1, 1, 5))


@weight(3)
def test_small_attachments_behind_a_large_one_keep_their_order(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 20_000), ("b.zip", 4_000_000), ("c.zip", 30_000), ("d.zip", 1_000_000), inline=10_000)
    me.send("-t", "-i", text=letter.bytes).succeeded()
    letter.arrived(case, box.mail())
    case.same((box.count("graph.session"), box.count("graph.attachment"), box.count("graph.slice")), (1, 2, 2))
    nothing_left(case, box)


def test_many_attachments_of_one_megabyte(case):
    """None is large enough for a session."""
    box = case.box()
    me = person(case, box)
    letter = Letter(*((f"{number}.zip", 900_000) for number in range(4)))
    me.send("-t", "-i", text=letter.bytes).succeeded()
    letter.arrived(case, box.mail())
    case.same(box.count("graph.session"), 0)
    nothing_left(case, box)


def test_between_three_million_octets_and_three_mebibytes_either_way_is_tried(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 3_050_000))
    me.send("-t", "-i", text=letter.bytes).succeeded()
    letter.arrived(case, box.mail())
    case.same((box.count("graph.session"), box.count("graph.attachment")), (1, 1))


def test_a_message_that_fits_goes_in_one_call(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 1_000_000))
    me.send("-t", "-i", text=letter.bytes).succeeded()
    letter.arrived(case, box.mail())
    case.same((box.count("graph.draft"), box.count("graph.send")), (0, 1))


def test_an_application_uploads_for_its_mailbox(case):
    box = case.box()
    site = case.person(box, accounts={"site": box.graph(app=True, extra="graph_large = upload\nfrom = noreply@sandbox.example")})
    letter = Letter(("a.zip", 4_000_000))
    letter.bytes = letter.bytes.replace(b"From: me@", b"From: noreply@")
    site.send("-t", "-i", text=letter.bytes).succeeded()
    mail = box.mail()
    attached = [part for part in mail.parsed().walk() if part.get_content_disposition() == "attachment"]
    case.same((mail.user, len(attached)), ("noreply@sandbox.example", 1))
    nothing_left(case, box)


@weight(3)
def test_a_failed_send_leaves_no_draft(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 4_000_000))
    for code, fault in ((65, {"status": 400, "code": "ErrorMimeContentConversionFailed"}), (69, {"status": 429}),
                        (77, {"status": 403, "code": "ErrorSendAsDenied"})):
        box.fault("graph.send", **fault)
        me.send("-t", "-i", text=letter.bytes).failed(code, r"not sent \(work\): .*")
        nothing_left(case, box)
    case.same((box.mails(), box.count("graph.send")), ([], 3))
    # Refused while uploading.
    box.fault("graph.session", status=403, code="ErrorAccessDenied")
    me.send("-t", "-i", text=letter.bytes).failed(78, r"not sent \(work\): .*")
    nothing_left(case, box)


def test_a_draft_that_cannot_be_removed_is_told(case):
    box = case.box()
    me = person(case, box, "timeout = 2s")
    box.fault("graph.send", status=400)
    box.fault("graph.delete", status=403, times=20)
    me.send("-t", "-i", text=Letter(("a.zip", 4_000_000)).bytes).failed(65, r"not sent .*its draft could not be removed, delete it.*")
    case.same(len(box.drafts()["drafts"]), 1)


@weight(4)
def test_a_lost_answer_of_send_is_unknown_and_not_sent_again(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 4_000_000))
    for number, fault in enumerate(({"action": "close"}, {"action": "reset"}, {"status": 504}, {"status": 200})):
        for keep in (False, True):
            box.fault("graph.send", keep=keep, **fault)
            me.send("-t", "-i", text=letter.bytes).failed(69, UNKNOWN)
        case.same((len(box.mails()), box.count("graph.send")), (number + 1, 2 * number + 2), f"{fault}: sent again")


@weight(3)
def test_a_lost_answer_to_the_last_slice_makes_no_second_attachment(case):
    """Whether it was attached cannot be asked: the draft is begun anew."""
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 5_000_000))
    for fault in ({"action": "close"}, {"status": 504}):
        box.fault("graph.slice", skip=1, keep=True, **fault)
        me.send("-t", "-i", text=letter.bytes).succeeded()
    for mail in box.mails():
        letter.arrived(case, mail)
    case.same((len(box.mails()), box.count("graph.draft"), box.count("graph.send")), (2, 4, 2))
    nothing_left(case, box)


@weight(3)
def test_lost_slices_and_attachments_arrive_once(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 9_000_000), ("b.zip", 100_000))
    box.fault("graph.slice", action="close", keep=True)
    box.fault("graph.attachment", action="reset", keep=True)
    box.fault("graph.session", status=503, retry_after=1)
    me.send("-t", "-i", text=letter.bytes).succeeded()
    letter.arrived(case, box.mail())
    case.same(box.count("graph.draft"), 2)
    nothing_left(case, box)


def test_a_token_refused_on_the_way_is_replaced(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 4_000_000), ("b.zip", 4_000_000))
    box.fault("graph.session", status=401, code="InvalidAuthenticationToken", skip=1)
    me.send("-t", "-i", text=letter.bytes).succeeded()
    letter.arrived(case, box.mail())
    case.same(box.token_requests(), 2)


def test_a_draft_whose_answer_is_lost_is_told_and_not_made_again(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 4_000_000))
    box.fault("graph.draft", action="close", keep=True)
    me.send("-t", "-i", text=letter.bytes).failed(69, r"not sent \(work\): .*a draft of it may be left, delete it.*")
    case.same((box.mails(), box.count("graph.draft"), box.count("graph.send")), ([], 1, 0))


def test_signed_messages_and_large_texts_are_refused_before_anything_is_sent(case):
    box = case.box()
    me = person(case, box)
    signed = Letter(("a.zip", 4_000_000)).bytes.replace(b"multipart/mixed", b"multipart/signed", 1)
    me.send("-t", "-i", text=signed).failed(65, r"not sent \(work\): a signed or encrypted message .*; send it by .*")
    me.send("-t", "-i", text=b"To: ann@example.org\n\n" + b"words words words\n" * 200_000).failed(
        65, r"not sent \(work\): 4 MB of the message are no attachment; attach .*")
    case.same((box.mails(), box.count("graph.draft")), ([], 0))


def test_an_interrupted_upload_leaves_no_draft(case):
    box = case.box()
    me = person(case, box)
    # As from a terminal: front end and agent get the signal, the helper does not.
    process = me.start("-t", "-i", start_new_session=True)
    box.fault("graph.slice", delay_ms=700, times=3)
    process.stdin.write(Letter(("a.zip", 12_000_000)).bytes)
    process.stdin.close()
    case.wait_for(lambda: box.count("graph.slice") >= 1, "the first slice", 30)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(10)
    case.wait_for(lambda: box.count("graph.delete") == 1, "the draft's removal", 10)
    nothing_left(case, box)
    case.same((box.mails(), box.count("graph.send")), ([], 0))


def test_no_secret_shows(case):
    """The upload URL is one."""
    box = case.box()
    me = person(case, box)
    box.fault("graph.slice", status=400, message="no")
    result = me.send("-v", "-t", "-i", text=Letter(("a.zip", 4_000_000)).bytes)
    case.same(result.code, 65)
    for word in (*box.secrets(), "authtoken", "/upload/", "eyJ"):
        case.holds(word not in result.out + result.err, f"{word} shows")


@weight(3)
def test_progress_is_for_a_terminal(case):
    box = case.box()
    me = person(case, box)
    letter = Letter(("a.zip", 9_000_000))
    box.fault("graph.slice", delay_ms=300, times=9)
    shown = on_terminal(me, "-t", "-i", text=letter.bytes)
    case.matches(shown, r"\rsendmail: uploaded 4 of 9 MB *\r", "no progress")
    case.matches(shown, r"\r +\r$", "what was shown stays")
    # In a pipe: not one byte.
    me.send("-t", "-i", text=letter.bytes).succeeded()
    # A small message shows nothing on a terminal either.
    case.same(on_terminal(me, "-t", "-i", text=b"To: ann@example.org\n\nhello\n"), "")


def on_terminal(me, *arguments, text):
    import pty
    import subprocess

    ours, theirs = pty.openpty()
    shown = b""
    process = subprocess.Popen([me.case.program("sendmail"), *arguments], env=me.environment, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    process.stdin.write(text)
    process.stdin.close()
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    if process.wait(30) != 0:
        raise Mismatch(f"exit {process.returncode}: {shown!r}")
    return shown.decode()


@plain_build_only
@weight(4)
def test_memory_does_not_grow_with_the_message(case):
    """VmHWM of agent and helper while a large message is on its way."""
    box = case.box()
    me = person(case, box)
    peaks = []
    for size in (4_000_000, 40_000_000):
        letter = Letter(("a.zip", size))
        slices = (size + SLICE - 1) // SLICE
        before = box.count("graph.slice")
        box.fault("graph.send", delay_ms=1500)
        process = me.start("-t", "-i")
        process.stdin.write(letter.bytes)
        process.stdin.close()
        case.wait_for(lambda: box.count("graph.slice") >= before + slices and box.count("graph.send") > len(peaks),
                      "the last slice", 60)
        peaks.append(peaks_below(process.pid))
        case.same(process.wait(30), 0)
    for name in ("mailbearer-agen", "mailbearer-help"):
        small, large = peaks[0][name], peaks[1][name]
        print(f"{name}: {small} KiB, {large} KiB")
        case.holds(large < small + 2048, f"{name} grows with the message: {small} to {large} KiB")
    case.holds(peaks[1]["mailbearer-help"] <= 24 * 1024, f"helper: {peaks[1]}")


def peaks_below(pid):
    """VmHWM in KiB of the programs that this process has started, by name."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            status = open(f"/proc/{entry}/status").read() if entry.isdigit() else ""
        except OSError:
            continue
        name = re.search(r"Name:\s+(\S+)", status)
        peak = re.search(r"VmHWM:\s+(\d+)", status)
        if name and peak and name[1].startswith("mailbearer-") and descends(int(entry), pid):
            found[name[1]] = int(peak[1])
    return found


def descends(pid, ancestor):
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(re.search(r"PPid:\s+(\d+)", open(f"/proc/{pid}/status").read())[1])
        except OSError:
            return False
    return False
