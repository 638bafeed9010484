"""Config files that must be refused, and the words that the sentence must have."""

GOOD = """
node: 1
members: {1: 127.0.0.1:5001, 2: 127.0.0.1:5002, 3: 127.0.0.1:5003}
data: data/node1
"""

BAD = {
    # what is wrong: (the file, the words its sentence must have)
    "unknown key": (GOOD + "colour: red", "colour is not a setting; known are node, members"),
    "unknown timing": (GOOD + "timing: {hearbeat: 1}", "timing.hearbeat is not a setting"),
    "unknown limit": (GOOD + "limits: {x: 1}", "limits.x is not a setting"),
    "own id missing": (GOOD.replace("node: 1", "node: 4"), "node is 4, but members lists 1, 2, 3"),
    "duplicate ids": (GOOD.replace("2: 127", "1: 127"), "the key 1 appears twice"),
    "duplicate key": (GOOD + "node: 2", "the key node appears twice"),
    "address used twice": (GOOD.replace("5002", "5001"), "the address 127.0.0.1:5001 twice"),
    "address without port": (GOOD.replace("127.0.0.1:5002", "nowhere"), "members.2 is 'nowhere'; write host:port"),
    "port too high": (GOOD.replace("5002", "99999"), "members.2 is '127.0.0.1:99999'; write host:port"),
    "listen without port": (GOOD + "listen: here", "listen is 'here'; write host:port"),
    "id is a word": (GOOD.replace("2: 127", "two: 127"), "a key of members must be a whole number"),
    "id zero": (GOOD.replace("2: 127", "0: 127"), "ids are whole numbers from 1"),
    "id negative": (GOOD.replace("2: 127", "-2: 127"), "ids are whole numbers from 1"),
    "no members": ("node: 1\nmembers: {}\ndata: d", "members is empty"),
    "eight members": (
        "node: 1\ndata: d\nmembers: {" + ", ".join(f"{n}: h:{n}" for n in range(1, 9)) + "}",
        "at most 7 voters",
    ),
    "no data": (GOOD.replace("data: data/node1", ""), "the key data is missing"),
    "data empty": (GOOD.replace("data/node1", "''"), "data is empty"),
    "cluster empty": (GOOD + "cluster: ''", "cluster is empty"),
    "negative timer": (GOOD + "timing: {heartbeat_interval: -1}", "timing.heartbeat_interval is -1.0; give a positive"),
    "timer zero": (GOOD + "timing: {answer_timeout: 0}", "timing.answer_timeout is 0.0; give a positive"),
    "timer not a number": (GOOD + "timing: {answer_timeout: .nan}", "timing.answer_timeout is nan"),
    "timer without end": (GOOD + "timing: {answer_timeout: .inf}", "timing.answer_timeout is inf"),
    "timer a word": (GOOD + "timing: {answer_timeout: long}", "timing.answer_timeout is 'long'; give a positive"),
    "timer a truth": (GOOD + "timing: {answer_timeout: true}", "timing.answer_timeout is True"),
    "inconsistent timers": (
        GOOD + "timing: {heartbeat_timeout: 1}",
        "heartbeat_timeout (1.0); change one of the three",
    ),
    "lease too short": (GOOD + "timing: {lease: 1}", "timing.lease is 1.0; it must span at least two heartbeats"),
    "minimum above maximum": (GOOD + "timing: {back_off_min: 9}", "timing.back_off_min is 9.0, more than"),
    "unknown profile": (GOOD + "timing: {profile: slow}", "timing.profile is 'slow'; write course or fast"),
    "timing empty": (GOOD + "timing:", "timing must be a mapping of keys and is empty"),
    "limit zero": (GOOD + "limits: {batch_entries: 0}", "limits.batch_entries is 0; give a positive whole number"),
    "frame too small": (GOOD + "limits: {frame_bytes: 10}", "limits.frame_bytes is 10; it must hold"),
    "quorum zero": (GOOD + "quorum: 0", "quorum is 0; with 3 members write majority or a number from 1 to 3"),
    "quorum too high": (GOOD + "quorum: 4", "quorum is 4; with 3 members"),
    "quorum negative": (GOOD + "quorum: -1", "quorum is -1; with 3 members"),
    "quorum a word": (GOOD + "quorum: most", "quorum is 'most'; with 3 members"),
    "quorum a fraction": (GOOD + "quorum: 1.5", "quorum must be a whole number or text"),
    "quorum a truth": (GOOD + "quorum: true", "quorum must be a whole number or text"),
    "switch a number": (GOOD + "fast_suspect: 3", "fast_suspect must be true or false"),
    "bad YAML": ("node: [1", "is not valid YAML at line 1"),
    "a tab": ("node: 1\n\tmembers: 2", "is not valid YAML at line 2"),
    "a Python object": (GOOD + "x: !!python/object/apply:os.system [ls]", "is not valid YAML at line 5"),
    "control characters": ("\x00\x01", "special characters are not allowed"),
    "nested too deeply": ("[" * 5000, "nested too deeply"),
    "an empty file": ("", "it must be a mapping with keys such as node, members and data"),
    "a list": ("- 1", "it must be a mapping"),
}
