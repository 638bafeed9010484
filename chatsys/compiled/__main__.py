"""`python -m chatsys.compiled`: compile the pure rooms into `.fast`, as `make fast` does.

Read also `building` (what it does), `using` (who takes the result).
"""

import sys

from chatsys.compiled.building import build
from chatsys.compiled.using import FOLDER, VARIABLE
from chatsys.errors import ChatsysError


def main() -> int:
    """Compile all, say how to use it, and return the exit code: 0, or 2 if it cannot be done here."""
    try:
        left = build(tell=lambda text: print(text, flush=True))
    except ChatsysError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The build cannot be kept in {FOLDER}: {error.strerror or error}.", file=sys.stderr)
        return 2
    for name, why in left.items():
        print(f"  {name} stays interpreted: {why}.")
    print(f"To run it:  export {VARIABLE}={FOLDER}    (chatsys --version says which one runs)")
    print(f"To be rid of it:  rm -rf {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
