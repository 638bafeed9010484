"""The network of real nodes: TCP connections as checked lines, kept up, bounded, and broken on purpose.

    transport     all links of one life          listener, strangers   who may come in, and how many
    peer          the way to one member          claims                which link is a member's
    links         one connection                 lines                 bytes into lines
    wire          frames and greetings as lines  receiver              whom the links tell
    rules         cut, slow, lose
    ports, namespaces, containers    where the nodes of a cluster listen

Read first `transport`.
"""
