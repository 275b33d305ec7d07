/* paxos.h - everything a host needs: the acceptor, and the whole replicated log. */
#ifndef PAXOS_H
#define PAXOS_H

#include "paxos/acceptor.h"
#include "paxos/replica.h"

#endif
