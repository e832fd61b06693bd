"""The command line of sendmail, read by the table of the interface facts 3.2 to 3.4; independent of src/cli."""

import dataclasses

WITH_ARGUMENT = set("aABbCDeFfhLMNOopRrVX")
JOINED_OPTIONAL = set("dq")
FLAGS = set("cGimntUvxE") - {"E"}
REFUSED_WITH_FILE = set("XCDM")


class Usage(Exception):
    """Exit 64."""


class NotInThisIssue(Exception):
    """A mode whose issue is another one."""


@dataclasses.dataclass
class Call:
    keep_dots: bool = False
    from_header: bool = False
    verbose: int = 0
    account: str = ""
    sender: str = None  # None: no -f
    full_name: str = None
    notify: str = ""
    ret: str = ""
    envid: str = ""
    operands: list = dataclasses.field(default_factory=list)


def parse(argv):
    call, rest, literal = Call(), list(argv), False
    while rest:
        word = rest.pop(0)
        if word == "--":
            literal = True
            break
        if word.startswith("--"):
            long_option(call, word, rest)
        elif word.startswith("-") and word != "-":
            cluster(call, word[1:], rest)
        else:
            rest.insert(0, word)
            break
    call.operands = rest
    if not literal and any(word.startswith("-") for word in rest):
        raise Usage("an option behind a recipient")
    if any(word == "" for word in rest):
        raise Usage("an empty recipient")
    if not rest and not call.from_header:
        raise Usage("no recipient")
    return call


def long_option(call, word, rest):
    name, _, value = word.partition("=")
    if name == "--read-envelope-from":
        return
    if name == "--account":
        value = value or (rest.pop(0) if rest else "")
        call.account = call.account or value
        return
    if name == "--version":
        raise NotInThisIssue("--version sends nothing")
    raise Usage(word)


def cluster(call, letters, rest):
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in WITH_ARGUMENT:
            if not letters and not rest:
                raise Usage(f"-{letter} without its argument")
            take(call, letter, letters if letters else rest.pop(0))
            return
        if letter in JOINED_OPTIONAL:
            if letter == "q":
                raise NotInThisIssue("-q runs a queue")
            return
        if letter not in FLAGS:
            raise Usage(f"-{letter}")
        call.keep_dots = call.keep_dots or letter == "i"
        call.from_header = call.from_header or letter == "t"
        call.verbose += letter == "v"


def take(call, letter, value):
    if letter in REFUSED_WITH_FILE:
        raise Usage(f"-{letter}")
    if letter == "b" and value != "m":
        if value in ("s", "p", "i", "v"):
            raise NotInThisIssue(f"-b{value}")
        raise Usage(f"-b{value}")
    if letter == "B" and value.upper() not in ("7BIT", "8BITMIME"):
        raise Usage(f"-B{value}")
    if letter == "o" and value.startswith("i"):
        call.keep_dots = True
    elif letter in "fr":
        call.sender = value
    elif letter == "F":
        call.full_name = value
    elif letter == "a":
        call.account = call.account or value
    elif letter == "N":
        call.notify = value
    elif letter == "R":
        call.ret = value
    elif letter == "V":
        call.envid = value
