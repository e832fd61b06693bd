"""What must become of a message: section 4 of the design, written a second time and in another language.

expect(...) says for argv, standard input and an account which envelope and which bytes must arrive, or with
which exit codes the program must refuse. Where the design leaves a choice, the model says so (`optional`,
`loose`); everything else is exact. It imports nothing of the program and the program nothing of it.
"""

import dataclasses
import email.header
import re

import addresses
import command_line
from setups import ALIASES, host_names

DROPPED = {"return-path", "content-length", "bcc", "resent-bcc"}
ADDRESS_FIELDS = {
    "from", "sender", "reply-to", "to", "cc",
    "resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc",
}
FIELD = re.compile(rb"\A([!-9;-~]+)([ \t]*):(.*)\Z", re.DOTALL)
MAX_RECEIVED = 30
MAX_LINE = 998
SEALED_TYPES = re.compile(
    rb"\s*(multipart/(signed|encrypted)|application/(x-)?pkcs7-(mime|signature)|application/pgp-encrypted)", re.I
)


@dataclasses.dataclass
class Refused:
    """Must not be sent; `codes` are the exit codes that are right."""

    codes: tuple
    reason: str


@dataclasses.dataclass
class Field:
    name: bytes
    body: bytes  # behind the colon, folds kept, without the last CRLF
    loose: bool = False  # mended or re-written: compared after unfolding, encoded words decoded
    alternatives: tuple = ()  # other bodies that are as right


@dataclasses.dataclass
class Expected:
    sender: tuple  # (local, domain), ("", "") is null
    recipients: list  # [(local, domain)]
    fields: list  # of what stays, in order
    body: bytes
    added: dict  # lower-case name -> a check of the value; each exactly once
    optional: dict  # the same, at most once
    reencode: str = ""  # why the body may change its encoding, or ""
    needs_utf8: bool = False
    dsn: dict = dataclasses.field(default_factory=dict)
    may_refuse: tuple = ()  # exit codes that are as right as sending it


@dataclasses.dataclass
class Caller:
    login: str
    gecos_name: str


def expect(argv, stdin, setup, caller, takes_8bit=True):
    try:
        return Judge(argv, stdin, setup, caller, takes_8bit).result()
    except command_line.Usage as why:
        return Refused((64,), str(why))
    except Refusal as why:
        return Refused(why.codes, why.reason)


class Refusal(Exception):
    def __init__(self, reason, *codes):
        super().__init__(reason)
        self.reason, self.codes = reason, codes


def normalise(data, keep_dots):
    """Line ends to CRLF, a bare CR to a blank, the dot rule: facts 3.7 and 3.8."""
    data = re.sub(rb"\r*\n", b"\n", data)  # CR CR LF, of programs that convert twice, is one line end
    data = re.sub(rb"\r+\Z", b"\n", data).replace(b"\r", b" ")
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if not keep_dots:
        if b"." in lines:
            lines = lines[: lines.index(b".")]
        lines = [line[1:] if line.startswith(b"..") else line for line in lines]
    return lines


def split(lines):
    """Header fields and body lines: facts R37, R38."""
    if lines and re.match(rb">?From ", lines[0]):
        lines = lines[1:]
    fields, at = [], 0
    while at < len(lines) and lines[at] != b"":
        line = lines[at]
        if line[:1] in b" \t" and fields:
            fields[-1].append(line)
        elif FIELD.match(line):
            fields.append([line])
        else:
            return [field_of(parts) for parts in fields], lines[at:]
        at += 1
    return [field_of(parts) for parts in fields], lines[at + 1 :]


def field_of(parts):
    name, blanks, _ = FIELD.match(parts[0]).groups()
    kept = [part for index, part in enumerate(parts) if index == 0 or part.strip(b" \t")]
    body = b"\r\n".join(kept).split(b":", 1)[1]
    return Field(name, body, loose=bool(blanks) or len(kept) < len(parts))


def unfold(body):
    return re.sub(rb"\s+", b" ", body).strip()


WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")


def decode_words(text):
    """RFC 2047, by the standard library; blanks between two encoded words go."""
    text = re.sub(r"(=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=)\s+(?==\?)", r"\1", text)
    return WORD.sub(lambda match: str(email.header.make_header(email.header.decode_header(match.group()))), text)


def text_of(body):
    """Raw header bytes as a person would read them."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


class Judge:
    def __init__(self, argv, stdin, setup, caller, takes_8bit):
        self.call = command_line.parse(argv)
        self.setup, self.caller, self.takes_8bit = setup, caller, takes_8bit
        self.fields, body_lines = split(normalise(stdin, self.call.keep_dots))
        self.body = b"".join(line + b"\r\n" for line in body_lines)
        self.longest = max(map(len, body_lines), default=0)
        self.added, self.optional, self.may_refuse = {}, {}, ()

    def all(self, *names):
        return [field for field in self.fields if field.name.decode().lower() in names]

    def values(self, *names):
        return [field for field in self.all(*names) if unfold(field.body)]

    def result(self):
        if any(b"\0" in field.name + field.body for field in self.fields):
            raise Refusal("NUL in the header", 65)
        if len(self.all("received")) > MAX_RECEIVED:
            raise Refusal("a loop", 65)
        if sum(len(field.name) + len(field.body) + 3 for field in self.fields) > 1 << 20:
            raise Refusal("a header over 1 MiB", 65)
        has_from = bool(self.values("from"))
        sender_given, sender = self.given_sender()
        recipients = self.resolved(self.asked_recipients())
        sender = self.reverse_path(sender_given, sender, has_from)
        self.note_added(has_from, sender_given, sender)
        self.drop()
        self.rewrite_from(has_from)
        self.rewrite_sender()
        self.qualify()
        for field in self.fields:
            self.encode(field)
            self.check_long(field)
        reencode = self.reencoding()
        self.label(reencode)
        return Expected(
            sender, recipients, self.fields, self.body, self.added, self.optional, reencode,
            any(not local.isascii() for local, _ in [sender, *recipients]), self.dsn(), self.may_refuse,
        )

    # --- Envelope.

    def given_sender(self):
        text = self.call.sender
        if text is None:
            return False, None
        if re.search(r"[\x00-\x1f\x7f]", text):
            raise Refusal("control byte in -f", 65)
        if text.strip() in ("", "<>"):
            return True, ("", "")
        try:
            found = addresses.parse_list(text)
        except addresses.Bad as why:
            raise Refusal(f"-f: {why}", 65) from why
        if len(found) != 1 or text.startswith("-"):
            raise Refusal("-f is no address", 65)
        _, local, domain = found[0]
        if not domain and local == self.caller.login:
            return False, None  # what everybody has is no choice: docs/decisions/0004
        return True, (local, domain or self.setup.domain)

    def asked_recipients(self):
        found = []
        for operand in self.call.operands:
            if re.search(r"[\x00-\x1f\x7f]", operand):
                raise Refusal("control byte in a recipient", 65)
            found += self.list_of(operand)
        if self.call.from_header:
            found += self.header_recipients()
            if any(local.startswith("-") and not domain for local, domain in found):
                self.may_refuse = (65,)  # an option of a careless caller (facts M9), or an odd local name
        if not found:
            raise Refusal("no recipient", *((65,) if self.call.from_header else (65, 64)))
        return found

    def header_recipients(self):
        resent = [index for index, field in enumerate(self.fields) if field.name.lower().startswith(b"resent-")]
        if not resent:
            return [one for field in self.all("to", "cc", "bcc") for one in self.list_of(text_of(field.body))]
        # The newest block is the topmost: up to the first field that it already has.
        seen, found = set(), []
        for field in self.fields[resent[0] :]:
            name = field.name.lower().decode()
            if not name.startswith("resent-") or name in seen:
                break
            seen.add(name)
            if name in ("resent-to", "resent-cc", "resent-bcc"):
                found += self.list_of(text_of(field.body))
        if not found:
            raise Refusal("a Resent block without recipients", 65)
        return found

    @staticmethod
    def list_of(text):
        try:
            return [(local, domain) for _, local, domain in addresses.parse_list(text)]
        except addresses.Bad as why:
            raise Refusal(f"address: {why}", 65) from why

    def is_local(self, domain):
        return not domain or domain.lower() in host_names()

    def resolved(self, asked):
        found = []
        for mailbox in asked:
            for target in self.targets(*mailbox):
                if not any(addresses.same_mailbox(target, known) for known in found):
                    found.append(target)
        return found

    def targets(self, local, domain, depth=0):
        if not self.is_local(domain):
            return [(local, domain)]
        alias = ALIASES.get(local.lower())
        if alias and depth < 10:
            return [end for name in alias for _, a, b in addresses.parse_list(name) for end in self.targets(a, b, depth + 1)]
        if not self.setup.local_mail_to:
            raise Refusal(f"nobody answers for {local}", 67, *self.may_refuse)
        return [(a, b) for name in self.setup.local_mail_to for _, a, b in addresses.parse_list(name)]

    def may_use(self, mailbox):
        address = addresses.written(*mailbox).lower()
        patterns = [self.setup.user, *self.setup.senders]
        return any(
            pattern == "*" or pattern.lower() == address or (pattern[:2] == "*@" and address.endswith(pattern[1:].lower()))
            for pattern in patterns
        )

    def from_mailboxes(self):
        for field in self.values("from"):
            try:
                for phrase, local, domain in addresses.parse_list(text_of(field.body)):
                    yield phrase, (local, domain or self.setup.domain), not domain
            except addresses.Bad:
                return

    def user(self):
        local, _, domain = self.setup.user.rpartition("@")
        return local, domain

    def reverse_path(self, given, sender, has_from):
        if given and sender == ("", ""):
            return sender if self.setup.null_sender == "keep" else self.user()
        if given and self.may_use(sender):
            return sender
        if given and self.setup.rewrite_from == "never":
            raise Refusal("this account may not send as that", 77)
        for _, mailbox, _ in self.from_mailboxes():
            if self.may_use(mailbox):
                return mailbox
        if not has_from:
            # The login name, completed, stands in the From that is added.
            mailbox = (self.caller.login, self.setup.domain)
            if self.may_use(mailbox):
                return mailbox
        return self.user()

    # --- Header.

    def note_added(self, has_from, sender_given, sender):
        self.added["received"] = check_received
        if not self.values("date"):
            self.added["date"] = check_date
        if not self.values("message-id"):
            self.added["message-id"] = check_message_id
        if not has_from:
            self.added["from"] = self.check_added_from(sender_given, sender)
        visible = self.values("to")
        if not visible:
            target = self.optional if self.values("cc", "resent-to", "resent-cc") else self.added
            target["to"] = check_undisclosed
        if any(field.name.lower().startswith(b"resent-") for field in self.fields):
            for name, check in (("resent-date", check_date), ("resent-message-id", check_message_id)):
                if not self.values(name):
                    self.added[name] = check
        if sender_given and self.call.sender.strip() in ("", "<>") and self.setup.null_sender == "user":
            for name in ("auto-submitted", "x-auto-response-suppress"):
                if not self.values(name):
                    self.added[name] = lambda value: value in ("auto-replied", "All")

    def check_added_from(self, sender_given, sender):
        given = self.given_sender()[1] if sender_given else None
        mailbox = given if given and given != ("", "") and self.may_use(given) else (self.caller.login, self.setup.domain)
        if not self.may_use(mailbox):
            mailbox = self.user()
        if self.setup.rewrite_from == "always":
            mailbox = self.user()
        if given and given != ("", "") and not self.may_use(given):
            # The front end cannot know that the account may not use -f; replies may still go there.
            self.optional["reply-to"] = lambda value: addresses.same_mailbox(addresses.parse_list(value)[0][1:], given)
        names = {self.call.full_name.strip()} if self.call.full_name else {self.caller.gecos_name, ""}

        def check(value):
            found = addresses.parse_list(value)
            return (
                len(found) == 1 and addresses.same_mailbox(found[0][1:], mailbox)
                and re.sub(r"\s+", " ", decode_words(found[0][0])) in {re.sub(r"\s+", " ", name) for name in names}
            )

        return check

    def drop(self):
        replaced = {"date", "message-id", "from", "to", "resent-date", "resent-message-id"}
        self.fields = [
            field for field in self.fields
            if (name := field.name.decode().lower()) not in DROPPED
            and not (name in replaced and not unfold(field.body) and not self.values(name))
        ]

    def rewrite_from(self, has_from):
        if not has_from:
            return
        always = self.setup.rewrite_from == "always"
        found = list(self.from_mailboxes())
        wrong = [one for one in found if not self.may_use(one[1])]
        if not wrong and not (always and any(not addresses.same_mailbox(one[1], self.user()) for one in found)):
            return
        if self.setup.rewrite_from == "never":
            raise Refusal("From may not be used", 77)
        content_type = b" ".join(field.body for field in self.all("content-type"))
        if SEALED_TYPES.match(content_type) or self.all("dkim-signature"):
            raise Refusal("signed: From may not be rewritten", 77, 65)
        phrase, mailbox, was_local = found[0]
        if "@" in phrase:
            phrase = ""
        field = self.values("from")[0]
        address = addresses.written(*self.user())
        if phrase:
            field.body = f" {quoted(phrase)} <{address}>".encode()
            field.alternatives = (f" {address} ({phrase})".encode(),)
        else:
            field.body = f" {address}".encode()
            field.alternatives = (f" <{address}>".encode(),)
        field.loose = True
        if not self.values("reply-to") and not was_local and not self.is_local(mailbox[1]):
            original = addresses.written(*mailbox)
            self.added["reply-to"] = lambda value: addresses.parse_list(value)[0][1:] == tuple(original.rsplit("@", 1))

    def rewrite_sender(self):
        """A Sender that the account may not use would be refused like such a From: it goes with it."""
        if self.setup.rewrite_from == "never":
            return
        for field in self.all("sender"):
            found = addresses.parse_list(text_of(field.body))
            usable = self.setup.rewrite_from == "auto" and all(
                self.may_use((local, domain or self.setup.domain)) for _, local, domain in found
            )
            if not usable and addresses.written(*found[0][1:]) != self.setup.user:
                self.fields.remove(field)

    def qualify(self):
        for field in self.fields:
            name = field.name.decode().lower()
            if name not in ADDRESS_FIELDS:
                continue
            try:
                found = addresses.parse_list(text_of(field.body))
            except addresses.Bad:
                continue
            bare = [local for _, local, domain in found if not domain]
            if bare:
                field.loose = True
                field.alternatives = tuple(self.qualified(field.body, bare, name, by_alias) for by_alias in (True, False))
                field.body = field.alternatives[0]

    def qualified(self, body, bare, name, by_alias):
        """The domain put behind each bare name, the rest of the field as it is."""
        text, at = text_of(body), 0
        for local in bare:
            match = re.compile(r"(?<![\w.@-])" + re.escape(local) + r"(?![\w@.-])").search(text, at)
            while match and inside_comment_or_quotes(text, match.start()):
                match = re.compile(r"(?<![\w.@-])" + re.escape(local) + r"(?![\w@.-])").search(text, match.end())
            if not match:
                continue
            new = f"{local}@{self.setup.domain}"
            if by_alias and local.lower() in ALIASES and "from" not in name and name not in ("sender", "reply-to"):
                new = ", ".join(addresses.written(*end) for end in self.targets(local, ""))
            text = text[: match.start()] + new + text[match.end() :]
            at = match.start() + len(new)
        return text.encode()

    @staticmethod
    def encode(field):
        if not field.body.isascii():
            field.loose = True

    @staticmethod
    def check_long(field):
        first, *rest = (field.name + b":" + field.body).split(b"\r\n")
        if max(map(len, [first, *rest])) <= MAX_LINE:
            return
        field.loose = True
        if field.body.isascii() and any(not re.search(rb"[ \t]", line[1:]) for line in [first.split(b":", 1)[1][1:], *rest] if len(line) > MAX_LINE):
            raise Refusal("a header line that cannot be folded", 65)

    # --- Body.

    def reencoding(self):
        why = ""
        if self.longest > MAX_LINE:
            why = "long line"
        elif b"\0" in self.body:
            why = "NUL"
        elif not self.takes_8bit and not self.body.isascii():
            why = "8-bit, and the server takes 7 bits"
        if why and any(SEALED_TYPES.match(field.body) for field in self.all("content-type")):
            raise Refusal("signed or encrypted, and would have to change", 65)
        return why

    def label(self, reencode):
        labels = ("mime-version", "content-type", "content-transfer-encoding")
        present = {field.name.decode().lower() for field in self.fields if field.name.lower().startswith((b"content-", b"mime-"))}
        if self.body.isascii() and not reencode:
            return
        if present:
            for name in labels:
                if name not in present:
                    self.optional[name] = lambda value: True
            return
        try:
            self.body.decode("utf-8")
            charset = r"utf-8|us-ascii" if self.body.isascii() else r"utf-8"
        except UnicodeDecodeError:
            if not reencode:
                for name in labels:
                    self.optional[name] = lambda value: "utf-8" not in value.lower()
                return
            charset = r"[\w-]+"
        encodings = ("quoted-printable", "base64") if reencode else ("8bit",)
        self.added["mime-version"] = lambda value: value == "1.0"
        self.added["content-type"] = lambda value: re.fullmatch(rf'text/plain; charset="?(?:{charset})"?', value, re.I)
        self.added["content-transfer-encoding"] = lambda value: value.lower() in encodings

    def dsn(self):
        asked = {}
        words = {word.strip().upper() for word in self.call.notify.split(",") if word.strip()}
        if words and (words == {"NEVER"} or words <= {"SUCCESS", "FAILURE", "DELAY"}):
            asked["NOTIFY"] = words
        if self.call.ret.upper() in ("HDRS", "FULL"):
            asked["RET"] = self.call.ret.upper()
        if self.call.envid and re.fullmatch(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+", self.call.envid):
            asked["ENVID"] = self.call.envid
        return asked


def quoted(phrase):
    if re.fullmatch(r"[\w!#$%&'*+/=?^`{|}~ -]+", phrase):
        return phrase
    return '"' + re.sub(r'(["\\])', r"\\\1", phrase) + '"'


def inside_comment_or_quotes(text, at):
    quotes, depth, index = False, 0, 0
    while index < at:
        character = text[index]
        if character == "\\":
            index += 1
        elif character == '"' and not depth:
            quotes = not quotes
        elif not quotes:
            depth += {"(": 1, ")": -1}.get(character, 0)
        index += 1
    return quotes or depth > 0


def check_received(value):
    # Neither a user id nor a host name of ours: only the domain, the id and the date.
    return bool(re.fullmatch(r"by [\w.-]+ id [0-9A-Za-z]+; \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", value))


def check_date(value):
    return bool(re.fullmatch(r"\w{3}, \d{1,2} \w{3} 20\d\d \d\d:\d\d:\d\d [+-]\d{4}", value))


def check_message_id(value):
    return bool(re.fullmatch(r"<[\w.+-]+@[\w.-]+>", value))


def check_undisclosed(value):
    return value == "undisclosed-recipients:;"
