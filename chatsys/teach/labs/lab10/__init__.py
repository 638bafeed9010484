from chatsys.teach.labs.lab10.words import Vote, LogEnd
