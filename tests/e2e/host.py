"""What a host may do to a program: other users, an /etc of its own, closed descriptors, odd argument vectors."""

import ctypes
import errno
import os
import shutil

from rig import become, same

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def _mount(source, target, flags):
    answer = _libc.mount(source.encode(), str(target).encode(), None, flags, None)
    if answer != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} on {target}")


class Etc:
    """A private copy of /etc, seen only by programs that are started with preexec()."""

    def __init__(self, case, users=()):
        """users: (login, uid, gecos, home)"""
        self.folder = case.folder / "etc"
        shutil.copytree("/etc", self.folder, symlinks=True, ignore=lambda folder, names: (
            [name for name in names if name in ("alternatives", "php", "apparmor.d", "java-11-openjdk")]
            if folder == "/etc" else []))
        shutil.rmtree(self.folder / "mailbearer", ignore_errors=True)
        for name in ("mailname", "aliases"):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / "mailbearer").mkdir(mode=0o755)
        with open(self.folder / "passwd", "a", encoding="utf-8") as passwd:
            for login, uid, gecos, home in users:
                passwd.write(f"{login}:x:{uid}:{uid}:{gecos}:{home}:/bin/sh\n")
        with open(self.folder / "group", "a", encoding="utf-8") as group:
            for login, uid, _, _ in users:
                group.write(f"{login}:x:{uid}:\n")

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)

    def preexec(self, uid=None, gid=None, cwd=None):
        def enter():
            if _libc.unshare(CLONE_NEWNS) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            try:
                _mount("none", "/", MS_REC | MS_PRIVATE)
            except OSError as error:
                # In a chroot "/" is no mount point, so nothing can be said of it.
                if error.errno != errno.EINVAL:
                    raise
            _mount(str(self.folder), "/etc", MS_BIND)
            if cwd is not None:
                os.chdir(cwd)
            if uid is not None:
                become(uid, gid)

        return enter


def close_descriptors(numbers):
    """For preexec: these are closed when the program starts."""

    def enter():
        for number in numbers:
            try:
                os.close(number)
            except OSError:
                pass

    return enter


def with_no_arguments(program, environment):
    """For preexec: execve with an empty argument vector (argc 0, or 1 with an empty word on newer kernels)."""
    words = [f"{name}={value}".encode() for name, value in environment.items()]

    def enter():
        argv = (ctypes.c_char_p * 1)(None)
        envp = (ctypes.c_char_p * (len(words) + 1))(*words, None)
        _libc.execve(program.encode(), argv, envp)
        os._exit(126)

    return enter


def nobody_else_is(case, uid):
    """The test's own folder for that user."""
    os.chown(case.folder, uid, uid)
    same(os.stat(case.folder).st_uid, uid)
