"""The configuration: what is wrong is named, with file, line and the nearest known word (78)."""

import os

from rig import BODY


def faulty(case, box, change, pattern, line_of=None):
    me = case.person(box, name=f"p{len(list(case.folder.iterdir()))}")
    text = change(me.config.read_text())
    me.write_config(text)
    place = str(me.config).replace(".", r"\.")
    if line_of is not None:
        place += f":{next(number for number, line in enumerate(text.splitlines(), 1) if line_of in line)}"
    me.send("-i", "ann@example.org").failed(78, pattern.replace("PLACE", place))


def test_unknown_keys_sections_and_values(case):
    box = case.box()
    faulty(case, box, lambda text: text.replace("smtp_host", "smtp_hots"),
           r"not sent \(work\): PLACE: unknown key `smtp_hots`.*; did you mean smtp_host\?", "smtp_hots")
    faulty(case, box, lambda text: text.replace("[mailbearer]", "[mailbearer]\ndefalt = work"),
           r"not sent: PLACE: unknown key `defalt`.*; did you mean default\?", "defalt")
    faulty(case, box, lambda text: text.replace("[mailbearer]", "[mailbeare]"),
           r"not sent: PLACE: unknown section \[mailbeare\]; did you mean \[mailbearer\]\?", "[mailbeare]")
    faulty(case, box, lambda text: text.replace("default = work", "default = wrok"),
           r"not sent: PLACE: `default` names unknown account `wrok`; did you mean work\?", "wrok")
    faulty(case, box, lambda text: text + "transport = smpt\n",
           r"not sent \(work\): PLACE: `transport = smpt` must be smtp or graph.*", "smpt")
    faulty(case, box, lambda text: text + "refresh_margin = soon\n",
           r"not sent \(work\): PLACE: `refresh_margin = soon` is not a duration.*", "soon")
    faulty(case, box, lambda text: text + "user = other@sandbox.example\n",
           r"not sent \(work\): PLACE: `user` is already set at .*:\d+; .*", "other@")
    faulty(case, box, lambda text: text.replace("provider = smtp", "provider = micorsoft"),
           r"not sent \(work\): PLACE: unknown provider `micorsoft`; did you mean microsoft\?", "micorsoft")
    faulty(case, box, lambda text: text + "just words\n", r"not sent: PLACE: neither .*", "just words")
    case.same(box.count("smtp.connect"), 0)


def test_missing_keys(case):
    box = case.box()
    for key in ("user", "client_id", "token_endpoint", "smtp_host"):
        def without(text, key=key):
            return "\n".join(line for line in text.splitlines() if not line.startswith(key + " =")) + "\n"
        faulty(case, box, without, rf"not sent \(work\): PLACE: \[account work\] has no {key}.*", "[account work]")


def test_one_faulty_account_disables_only_itself(case):
    box = case.box()
    me = case.person(box, accounts={"work": "", "site": ""})
    me.write_config(me.config.read_text().replace("tenant = sandbox.example", "tennant = sandbox.example"))
    me.send("-i", "ann@example.org").succeeded()
    me.send("-i", "-a", "site", "ann@example.org").failed(78, r"not sent \(site\): .*unknown key `tennant`.*did you mean tenant\?")


def test_a_file_that_others_may_write_is_named(case):
    box = case.box()
    me = case.person(box)
    for mode in (0o620, 0o602, 0o666):
        me.config.chmod(mode)
        me.send("-i", "ann@example.org").failed(78, rf"not sent: {me.config} may be written by others; run: chmod go-w {me.config}.*")
    me.config.chmod(0o600)
    me.folder.chmod(0o777)
    me.send("-i", "ann@example.org").failed(78, rf"not sent: {me.folder} may be written by others; .*")
    me.folder.chmod(0o700)
    os.chown(me.config, 4321, 4321)
    me.send("-i", "ann@example.org").failed(78, rf"not sent: {me.config} belongs to another user .*")
    os.chown(me.config, 0, 0)
    link = case.folder / "link.conf"
    link.symlink_to(me.config)
    me.send("-i", "ann@example.org", environment={"MAILBEARER_CONFIG": str(link)}).succeeded()
    ca = case.folder / "ca.pem"
    ca.write_bytes(open(box.ca_file, "rb").read())
    ca.chmod(0o666)
    other = case.person(box, name="ca", account=f"ca_file = {ca}")
    other.send("-i", "ann@example.org").failed(78, rf"not sent( \(work\))?: {ca} may be written by others; .*")


def test_a_configuration_that_is_not_there(case):
    me = case.person(config="")
    me.config.unlink()
    me.send("-i", "ann@example.org").failed(78, rf"not sent: cannot open {me.config}: No such file or directory.*")
    me.send("-i", "ann@example.org", environment={"MAILBEARER_CONFIG": str(case.folder)}).failed(
        78, rf"not sent: {case.folder} is not a regular file.*")


def test_an_empty_configuration(case):
    me = case.person(config="")
    me.send("-i", "ann@example.org").failed(78, r"not sent: no \[account\] section in .*mailbearer\.conf; .*")


def test_a_private_folder_below_a_sticky_one_is_safe(case):
    box = case.box()
    sticky = case.folder / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    me = case.person(box, name="sticky/mine")
    me.send("-i", "ann@example.org").succeeded()
    sticky.chmod(0o777)
    me.send("-i", "ann@example.org").failed(78, rf"not sent: {sticky} may be written by others; .*")


def test_comments_blanks_and_long_lines(case):
    box = case.box()
    me = case.person(box)
    senders = " ".join(f"n{number}@apps.sandbox.example" for number in range(1500))
    text = me.config.read_text().replace("default = work", "  default\t=   work   ; a comment\n; another = one\n# and this")
    me.write_config(text + f"from = me@sandbox.example {senders}\n")
    me.send("-i", "-f", "n1499@apps.sandbox.example", "ann@example.org").failed(77, r"not sent \(work\): .* may not send as .*")
    me.send("-i", "ann@example.org").succeeded()


def test_config_check_and_show(case):
    box = case.box()
    me = case.person(box)
    result = me.call("mailbearer", "config", "check")
    case.same((result.code, result.err), (0, ""), repr(result))
    shown = me.call("mailbearer", "config", "show")
    case.same(shown.code, 0, repr(shown))
    case.matches(shown.out, r"user.*me@sandbox\.example")
    case.matches(shown.out, r"mailbearer\.conf:\d+")
    me.write_config(me.config.read_text().replace("smtp_host", "smtp_hots") + "timeout = soon\nretry_fro = 5d\n")
    result = me.call("mailbearer", "config", "check")
    case.same(result.code, 78, repr(result))
    for word in ("smtp_hots", "retry_fro", "soon"):
        case.holds(word in result.err, f"{word} is not in {result.err}")


def test_aliases_are_read_as_they_are(case):
    box = case.box()
    me = case.person(box)
    (me.folder / "aliases").chmod(0o666)
    result = me.send("-i", "root", text="From: me@sandbox.example\n" + BODY)
    case.same(result.code, 78, repr(result))
    case.matches(result.err, "may be written by others")
    # Nobody local is written to: the file is not asked.
    me.send("-i", "ann@example.org").succeeded()
