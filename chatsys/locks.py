"""A lock on an open file, so that no second process writes what this one writes.

Opening a folder of data happens in threads, of several nodes at once and sometimes with the last descriptors
that the system gives.  Python's import is no help there: a thread that waits for a module whose import fails in
another thread may see half of it.  So what locks is imported here, at the top, and whoever can lock imports
this room before it opens anything.

One call of the system is all that is needed.  The library `filelock` wraps it, too, but it hooks each audit event
of the process that imports it, and a search, which asks for `id()` all the time, takes a tenth longer for that.

Assumes   the file is open for writing.
Promises  the lock ends with the process, however that ends.
Read also `runtime.disk` (a node's folder), `campaign.resume` (a file of results).
"""

import errno
import os
import sys
from pathlib import Path

from chatsys.capabilities import FILE_LOCKS, has
from chatsys.errors import NotHere
from chatsys.surroundings import reason

if has(FILE_LOCKS):
    if sys.platform == "win32":
        import msvcrt
    else:
        import fcntl

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What file systems answer that keep no locks."""
HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES}
"""What they answer where another one has the lock."""


def lock(file: int, path: Path) -> bool:
    """Lock an open file for this process, or say that another one has it; the lock ends with the process.

    A second lock of the same file in this process is refused too.  Raises `NotHere` where the file
    system keeps no locks, as the home folders of some JupyterHubs (NFS) do not, and `OSError`.
    """
    if not has(FILE_LOCKS):
        return True  # where there are no other processes either, none can have it
    try:
        _lock(file)
    except OSError as error:
        if error.errno in HELD:
            return False
        if error.errno not in NO_LOCKS:
            raise
        raise NotHere(
            f"The file system of {path} keeps no file locks ({reason(error)}), so nothing would keep a second "
            "process away; name a place on a disk of this machine, for example in /tmp or /var/tmp."
        ) from None
    return True


if sys.platform == "win32":

    def _lock(file: int) -> None:
        """Lock one byte behind what any log reaches: Windows lets nobody else read what is locked."""
        here = os.lseek(file, 0, os.SEEK_CUR)
        os.lseek(file, 1 << 40, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, here, os.SEEK_SET)

else:

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
