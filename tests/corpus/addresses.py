"""Address lists as RFC 5322 writes them, read by a small parser that shares nothing with the program.

Yields (phrase, local part, domain). Raises Bad for what must be refused: design section 4 and the
interface facts 3.5. Not a validator of everything: the corpus is ours.
"""

import re


class Bad(Exception):
    """The text is no address list that mail may be sent to."""


TOKEN = re.compile(
    r"""(?P<blank>\s+)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<literal>\[[^\]\[]*\])|(?P<special>[<>,;:@])"""
    r"""|(?P<atom>\\?[^\s"()<>,;:@\[\]\\]+)|(?P<open>\()|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def tokens(text):
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        kind = match.lastgroup
        if kind == "open":
            at, comment = comment_end(text, at)
            found.append(("comment", comment))
            continue
        if kind == "other" or (kind == "atom" and re.search(r"[\x00-\x1f\x7f]", match.group())):
            raise Bad(match.group())
        if kind != "blank":
            found.append((kind, match.group()))
        at = match.end()
    return found


def comment_end(text, at):
    depth, start = 0, at
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1, text[start + 1 : at]
        at += 1
    raise Bad("a comment is not closed")


def parse_list(text):
    """[(phrase, local, domain)]; domain is "" for an unqualified address."""
    found, pending, in_group = [], [], False
    angle = 0
    for kind, value in tokens(text) + [("special", ",")]:
        if kind == "special" and value == "<":
            angle += 1
        if kind == "special" and value == ">":
            angle -= 1
        ends = kind == "special" and angle == 0
        if ends and value == ":" and not in_group and ("special", "@") not in pending:
            if not pending:
                raise Bad("a group without a name")
            pending, in_group = [], True
        elif ends and value in ",;":
            if [part for part in pending if part[0] != "comment"]:
                found.append(one(pending))
            pending = []
            in_group = in_group and value == ","
        else:
            pending.append((kind, value))
    if angle:
        raise Bad("an angle bracket is not closed")
    return found


def one(parts):
    """A single address of its tokens."""
    words = [part for part in parts if part[0] != "comment"]
    comments = [value for kind, value in parts if kind == "comment"]
    if ("special", "<") in words:
        start, end = words.index(("special", "<")), len(words) - 1
        if words[end] != ("special", ">"):
            raise Bad("text behind an angle address")
        phrase = " ".join(unquoted(part) for part in words[:start])
        words = words[start + 1 : end]
    else:
        phrase = comments[-1] if comments else ""
    return (phrase, *specification(words))


def specification(words):
    if not words:
        raise Bad("an empty address")
    if words[0] == ("special", "@") or ("special", ":") in words:
        raise Bad("a source route or an include")
    at = words.index(("special", "@")) if ("special", "@") in words else len(words)
    local = joined(words[:at])
    domain = joined(words[at + 1 :]) if at < len(words) else ""
    if at < len(words) and not domain or not local:
        raise Bad("half an address")
    if local[0] in "|/":
        raise Bad("a program or a file")
    if local.startswith("\\"):
        local = local[1:]
    return local, domain


def joined(words):
    """Words around dots; two words without a dot between them are no dot-atom."""
    text, dotted = "", True
    for kind, value in words:
        if kind == "special":
            raise Bad("a special in an address")
        if not dotted and not value.startswith("."):
            raise Bad("two words where one is due")
        text += unquoted((kind, value)) if kind == "quoted" else value
        dotted = kind == "atom" and value.endswith(".")
    return text


def unquoted(part):
    kind, value = part
    return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL) if kind == "quoted" else value


def written(local, domain):
    """As in RCPT TO: quoted where it must be; the domain in A-labels, lower case."""
    if not re.fullmatch(r"[^\s\"()<>,;:@\[\]\\\x00-\x1f]+", local) or ".." in local or local[0] == "." or local[-1] == ".":
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    return f"{local}@{a_labels(domain)}" if domain else local


def a_labels(domain):
    if domain.startswith("["):
        return domain
    return domain.encode("idna").decode().lower() if not domain.isascii() else domain.lower()


def same_mailbox(a, b):
    """Domain without regard to case, local part exactly."""
    return a[0] == b[0] and a_labels(a[1]) == a_labels(b[1])
