"""The contract of anything that lives in a world.  It knows no chat.

An *actor* decides and never acts.  A *world* opens the actor's doors and carries out what they return.
The chat's node and its client are actors, a Lamport clock or a token ring can be one, and every world
(the simulator, the notebook's kernel, a process, the explorer) runs any of them.

      actor           the doors, the alarms, the addresses                    who speaks to whom
      events          what a world tells any actor: links, orders, the disk   what goes in
      effects         Append, Send, Deliver, Note                             what comes out
      outbox          frames that wait for the disk                           the order of effects
      inbox           what waits to be served, fair to each client            the order of turns
      logfile         records as lines of bytes, a batch a sync               what outlives a crash
      trace_columns   what the trace tells of frames and records              what people see of it
      words           what an actor calls a heartbeat, a suspicion, a leader  what figures look for


The doors
---------

    recover(records)                    once, before `start`: what the log of earlier lives holds
    start(now)                          a life begins
    on_message(sender, message, now)    a frame, or a link that came up or went down
    on_messages(sender, messages, now)  frames of one sender that came together: the same, in fewer steps
    on_time(now)                        the moment `deadline` has come, or has passed
    on_command(command, now)            an order of the people who run this actor
    settle(now)                         the end of a turn: what is owed once for all of it

`now` is an argument, in seconds, and never goes back within a life.  There are no clocks and no timer
ids: an actor sets named alarms, the world asks for the earliest (`deadline`), and calls `on_time` no
later than that.


Persist, send, deliver
----------------------

A door returns a list of effects, and their order is a promise of the world:

1. *Persist* an Append: hand the record to the disk, in order.
2. *Send* a frame only when every record that was appended before it is durable.  So "I have written it
   down" in a frame is true, whenever the crash comes.  A frame that promises nothing may say so
   (`overtakes_disk`), and need not wait.
3. *Deliver* at once: what an actor delivers does not depend on its own disk alone.

After a crash the world makes a new actor, gives `recover` the durable records and nothing else of the
old life, and lets nobody speak to it before the records that `start` appended are durable.

Read also `actor` (each door in detail), `protocol` (the chat, and a whole small world in forty lines).
"""
