"""The real world: sockets, files, clocks, processes.

    transport, links, wire, rules    frames over TCP; links that can be cut, slowed, made lossy
    disk                             the log: synced in groups, off the event loop
    host, turns, recorder            one life of an actor: around its turns, in them, and what is told of them
    kernel, process, child, control  a node here, or in a process of its own
    body, container, folder, engine  a process or a container of one's own, and what lies in its folder or volume
    supervisor, loop, cluster        a whole cluster, behind the same verbs as `sim.world.World`
    client, service                  one client, one node, for terminals and containers

Read also `sim`, which mirrors it: network ~ transport, disk ~ disk, world ~ host and cluster.
"""
