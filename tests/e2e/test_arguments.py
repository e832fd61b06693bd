"""The command line (R20 to R25, and the option table of the interface facts)."""

from rig import BODY, run, weight

WITH_TO = "To: ann@example.org\nSubject: hello\n\nHow are you?\n"

HONOURED_OR_IGNORED = [
    ("-A", "c"), ("-Ac",), ("-Am",), ("-B", "8BITMIME"), ("-B8BITMIME",), ("-B7bit",), ("-bm",), ("-b", "m"), ("-c",),
    ("-d",), ("-d0.1",), ("-e", "m"), ("-em",), ("-ep",), ("-F", "Full Name"), ("-FFull Name",), ("-FCronDaemon",),
    ("-f", "me@sandbox.example"), ("-fme@sandbox.example",), ("-G",), ("-h", "3"), ("-h3",), ("-i",), ("-L", "tag"),
    ("-Ltag",), ("-m",), ("-N", "never"), ("-Nsuccess,delay,failure",), ("-N", "nonsense"), ("-n",),
    ("-O", "DeliveryMode=b"), ("-OErrorMode=m",), ("-O", "QueueDirectory=/nowhere"), ("-o", "i"), ("-oi",), ("-oitrue",),
    ("-odb",), ("-odi",), ("-odq",), ("-o", "dq"), ("-oem",), ("-oep",), ("-o7",), ("-os",), ("-oL9",), ("-oA/nowhere",),
    ("-oQ/nowhere",), ("-p", "smtp:host"), ("-psmtp",), ("-R", "hdrs"), ("-Rfull",), ("-R", "nonsense"),
    ("-r", "me@sandbox.example"), ("-rme@sandbox.example",), ("-U",), ("-V", "id-1"), ("-Vid-1",), ("-V", "a=b c"),
    ("-x",), ("-ioee",), ("-oem", "-oi"), ("-mi",), ("-iU",), ("--read-envelope-from",), ("-a", "work"), ("-awork",),
    ("--account", "work"), ("--account=work",),
]

REFUSED = [
    ("-C", "/etc/passwd"), ("-C/etc/passwd",), ("-D", "log"), ("-Dlog",), ("-E",), ("-J",), ("-Jx",), ("-M", "rm"), ("-Mrm", "ID"),
    ("-Q",), ("-Qreason",), ("-S", "x"), ("-Sx",), ("-s",), ("-T",), ("-X", "log"), ("-Xlog",), ("-y",), ("-z",), ("-Z",),
    ("-H",), ("-W",), ("-w",), ("-l",), ("-P",), ("-K",), ("-Y",), ("-j",), ("-k",), ("-g",), ("-u",), ("-0",), ("-?",),
    ("-ba",), ("-bd",), ("-bD",), ("-bl",), ("-be",), ("-bf",), ("-bF",), ("-bem",), ("-bS",), ("-bt",),
    ("-bV",), ("-bC",), ("-bh",), ("-bH",), ("-bP",), ("-bz",), ("-bx",), ("-b",), ("-",), ("",), ("--acount", "work"),
    ("--serverinfo",), ("-B", "9BIT"), ("-tE",), ("-iX", "log"),
]


@weight(4)
def test_R20_every_accepted_option_in_its_forms(case):
    box = case.box()
    me = case.person(box)
    for number, options in enumerate(HONOURED_OR_IGNORED, 1):
        result = me.send(*options, "ann@example.org")
        case.same((result.code, result.out, result.err), (0, "", ""), repr(options))
        case.same(box.count("smtp.mail"), number, f"{options}: accepted by the server")
    for mail in box.mails():
        case.same(mail.recipients, ["ann@example.org"])
        case.same(mail.sender, "me@sandbox.example")
        case.same(mail.body, b"How are you?\r\n")


@weight(2)
def test_R20_clustered_flags(case):
    box = case.box()
    me = case.person(box)
    dotted = "To: ann@example.org\nSubject: hello\n\none\n.\ntwo\n"
    for flags, kept in (("-ti", True), ("-it", True), ("-t", False), ("-tU", False), ("-Uitm", True), ("-toi", True),
                        ("-itfme@sandbox.example", True)):
        me.send(flags, text=dotted).succeeded()
        case.same(box.mails()[-1].body, b"one\r\n.\r\ntwo\r\n" if kept else b"one\r\n", flags)
    for flags in ("-vi", "-tv"):
        result = me.send(flags, "ann@example.org", text=dotted)
        case.same((result.code, result.err), (0, ""), flags)


@weight(2)
def test_R20_refused_options_are_named_and_touch_nothing(case):
    box = case.box()
    me = case.person(box)
    inside = case.folder / "inside"
    inside.mkdir()
    for options in REFUSED:
        result = me.send(*options, "ann@example.org", cwd=inside)
        case.same(result.code, 64, repr(result))
        case.matches(result.err, r"^sendmail: not sent: [^\n]+\n$", repr(options))
        case.holds("root:" not in result.err, f"{options} leaks the content of a file")
    case.same(list(inside.iterdir()), [], "a refused option made a file")
    case.same(box.count("smtp.connect"), 0)


def test_R20_the_last_words_of_refusals(case):
    me = case.person(config="")
    for argument, text in (
            ("-C/etc/x", "option -C is refused: it would read a configuration of the caller's choice; set MAILBEARER_CONFIG "
                         "instead; see sendmail(8)"),
            ("-X/etc/x", "option -X is refused: it would write a file of the caller's choice; see sendmail(8)"),
            ("-bd", "mode -bd is refused: this is not a daemon; see mailbearer-agent(8); see sendmail(8)"),
            ("-y", "unknown option -y; see sendmail(8)"),
            ("--acount", r"unknown option --acount (--account?); see sendmail(8)")):
        result = me.send(argument, "ann@example.org")
        case.same((result.code, result.err), (64, f"sendmail: not sent: {text}\n"))


def test_R21_the_null_sender_in_all_its_forms(case):
    box = case.box("--null-sender")
    me = case.person(box)
    for options in (("-f", ""), ("-f", "<>"), ("-f<>",), ("-r", "")):
        me.send("-i", *options, "ann@example.org", text="From: me@sandbox.example\n" + BODY).succeeded()
        mail = box.mails()[-1]
        case.same(mail.sender, "", repr(options))
        case.same(mail.field("From"), "me@sandbox.example")


def test_R21_a_provider_without_null_sender_gets_the_user_and_marks(case):
    box = case.box()
    me = case.person(box, account="null_sender = user")
    me.send("-i", "-f", "<>", "ann@example.org", text="From: me@sandbox.example\n" + BODY).succeeded()
    mail = box.mail()
    case.same(mail.sender, "me@sandbox.example")
    case.same(mail.field("Auto-Submitted"), "auto-replied")
    case.same(mail.field("X-Auto-Response-Suppress"), "All")


def test_R22_repeated_options_the_last_sender_counts(case):
    box = case.box()
    me = case.person(box, account="from = me@sandbox.example me+alias@sandbox.example")
    me.send("-t", "-i", "-oi", "-fme@sandbox.example", "-t", text=WITH_TO).succeeded()
    case.same(box.mails()[-1].recipients, ["ann@example.org"])
    case.same(box.mails()[-1].sender, "me@sandbox.example")
    me.send("-t", "-fx@elsewhere.example", "-f", "me@sandbox.example", "-r", "me+alias@sandbox.example",
            text=WITH_TO).succeeded()
    case.same(box.mails()[-1].sender, "me+alias@sandbox.example")


def test_R23_an_argument_is_an_address_list(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "ops@example.org,two@example.org", "Ann Example <ann@example.org>", "<bob@example.org>",
            "cy@example.org (Cy, of Sales)", '"Doe, John" <john@example.org>; "j. d."@example.org', "Team: t1@example.org, T2 "
            "<t2@example.org>;", "OPS@example.org", "ops@EXAMPLE.org").succeeded()
    case.same(box.mail().recipients, [
        "ops@example.org", "two@example.org", "ann@example.org", "bob@example.org", "cy@example.org", "john@example.org",
        '"j. d."@example.org', "t1@example.org", "t2@example.org", "OPS@example.org"])


def test_R23_bad_lists_send_nothing(case):
    box = case.box()
    me = case.person(box)
    for bad in ("x y", "Bob Smith bob@example.org", "bob@", "@example.org", '"open@example.org', "|cat@x", "|/bin/cat", "/etc/x",
                ":include:/etc/passwd", "a@b@c", "<a@example.org", "bob@exa mple.org"):
        result = me.send("-i", "ann@example.org", bad)
        case.same(result.code, 65, repr(result))
        case.matches(result.err, r'^sendmail: not sent: bad address "[^\n]*\n$', repr(bad))
    case.same(box.count("smtp.connect"), 0)


def test_control_bytes_in_any_address_send_nothing(case):
    box = case.box()
    me = case.person(box)
    for evil in ("bob@example.org\r\nRCPT TO:<evil@example.org>", "bob\r@example.org", "bob\n@example.org", "b\x01@example.org",
                 "bob@example.org\x7f", '"a\r\nb"@example.org', "bob@exam\tple.org\x0b"):
        for arguments in (("-i", evil), ("-i", "-f", evil, "ann@example.org"), ("-i", "ann@example.org", f"Name <{evil}>")):
            result = me.send(*arguments)
            case.same(result.code, 65, repr(result))
            case.same(result.err.count("\n"), 1, repr(result))
            case.holds(all(c >= " " for c in result.err[:-1]), f"a control byte on the terminal: {result.err!r}")
    for field in ("To: a\x01b@example.org", "Bcc: bob@example.org\x7f", "To: ann@example.org\rBcc: evil@example.org"):
        result = me.send("-i", "-t", text=field + "\nSubject: s\n\nx\n")
        case.same(result.code, 65, repr(result))
    case.same(box.count("smtp.connect"), 0)


def test_R24_two_hyphens_end_the_options(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "--", "-bob@example.org", "-f", "--").failed(65, ".*")
    me.send("-i", "--", "-bob@example.org").succeeded()
    case.same(box.mail().recipients, ["-bob@example.org"])
    me.send("-i", "ann@example.org", "--", "-bob@example.org").succeeded()
    case.same(box.mails()[-1].recipients, ["ann@example.org", "-bob@example.org"])


def test_R24_an_option_behind_a_recipient_is_refused(case):
    box = case.box()
    me = case.person(box)
    for late in ("-f", "-oi", "-bob@example.org", "-X/etc/x"):
        me.send("-i", "ann@example.org", late).failed(64, rf"not sent: option {late} after a recipient; put options first, .*")
    me.send("-f", "-i", "ann@example.org").failed(65, 'not sent: bad address "-i" .*')
    me.send("-t", "-f").failed(64, "not sent: option -f needs a value; .*")
    case.same(box.mails(), [])


def test_R25_header_and_arguments_are_a_union_each_once(case):
    box = case.box()
    me = case.person(box)
    me.send("-t", "-i", "cy@example.org", "ann@EXAMPLE.org", "bob@example.org",
            text="To: Ann <ann@example.org>\nCc: bob@example.org\nBcc: dan@example.org\nSubject: s\n\nx\n").succeeded()
    case.same(sorted(box.mail().recipients), ["ann@EXAMPLE.org", "bob@example.org", "cy@example.org", "dan@example.org"])
    # Recipients only as arguments, with -t.
    me.send("-t", "-i", "cy@example.org", text=BODY).succeeded()
    case.same(box.mails()[-1].recipients, ["cy@example.org"])
    # Without -t the header says nothing.
    me.send("-i", "cy@example.org", text=WITH_TO).succeeded()
    case.same(box.mails()[-1].recipients, ["cy@example.org"])


def test_no_recipient_in_the_header(case):
    box = case.box()
    me = case.person(box)
    me.send("-t", text=BODY).failed(65, "not sent: no recipient found in To, Cc or Bcc; .*")
    me.send("-t", text="To: undisclosed-recipients:;\n" + BODY).failed(65, "not sent: no recipient found .*")
    me.send("-t", text="Resent-From: me@sandbox.example\nTo: ann@example.org\n" + BODY).failed(65, "not sent: no recipient .*")
    case.same(box.mails(), [])


def test_delivery_status_wishes_reach_a_server_that_offers_them(case):
    box = case.box()
    me = case.person(box)
    me.send("-i", "-N", "failure,delay", "-R", "hdrs", "-V", "id+2B1", "ann@example.org").succeeded()
    mail = box.mail()
    case.matches(mail.parameters, "RET=HDRS")
    case.matches(mail.parameters, r"ENVID=id\+2B1")
    case.matches(mail.recipient_parameters["ann@example.org"], "NOTIFY=FAILURE,DELAY")
    without = case.box("--without", "DSN")
    other = case.person(without, name="other")
    other.send("-i", "-N", "failure", "-R", "hdrs", "ann@example.org").succeeded()
    case.holds("RET" not in without.mail().parameters, without.mail().parameters)


def test_version_and_help_need_nothing(case):
    for option, pattern in (("--version", r"mailbearer \d+\.\d+\.\d+\n"), ("--help", "usage: sendmail .*")):
        result = run([case.program("sendmail"), option], b"", {})
        case.same((result.code, result.err), (0, ""), option)
        case.matches(result.out, "^" + pattern)


def test_queue_runs_have_nothing_to_do(case):
    me = case.person(config="")
    for options in (("-q",), ("-q15m",), ("-qff",), ("-qIid",), ("-qRdomain",)):
        me.send(*options).succeeded()


def test_R15_no_mode_swallows_a_message(case):
    """One word in PHP's fifth parameter must not make mail vanish with exit 0."""
    box = case.box()
    me = case.person(box)
    for words in (("-q", "ann@example.org"), ("-t", "-q"), ("-t", "-i", "-q15m"), ("-bp", "ann@example.org"),
                  ("-bi", "ann@example.org"), ("-I", "ann@example.org"), ("-t", "--help"), ("-t", "--version")):
        result = me.send(*words, text="To: ann@example.org\n\nx\n" + "y" * 200_000)
        case.same(result.code, 64, words)
        case.holds(result.wrote_all, words)
    case.same(box.mails(), [])
    for words in (("-q",), ("-bi",)):
        case.same(me.send(*words).code, 0, words)


def test_an_argument_that_names_nobody(case):
    me = case.person(case.box())
    me.send("undisclosed-recipients:;").failed(65, r"not sent: the arguments name no recipient; .*")


def test_oeq_keeps_standard_error_empty(case):
    me = case.person(case.box())
    result = me.send("-oeq", "a@@b")
    case.same((result.code, result.err), (65, ""))
