/* sockets.h - the sockets of a transport that is fuzzed: pairs of this process, without a port, so
 * that an input costs microseconds and leaves nothing in the system.
 *
 * The linker puts these in the place of socket, bind, listen, connect, accept4 and setsockopt
 * (--wrap, in Tests/Fuzz/run). */
#ifndef FUZZ_SOCKETS_H
#define FUZZ_SOCKETS_H

#include "fuzz.h"

enum { SOCKETS_WAITING = 8 };

typedef struct sockets {
    int listener;                 /* the other half of what the transport listens on      */
    int waiting[SOCKETS_WAITING]; /* halves that accept4 is to give                       */
    uint32_t waiting_count;
    int dialled[SOCKETS_WAITING]; /* other halves of what socket gave                     */
    uint32_t dialled_count;
    int refusal;         /* errno of the next socket, connect or accept4; 0: it succeeds */
    uint64_t no_accepts; /* how often accept4 had no descriptor                          */
} sockets_t;

extern sockets_t sockets;

/* Begin with the listener: what the next socket gives. */
void sockets_begin(void);
/* Close what nobody took. */
void sockets_end(void);
/* Dial the transport: a descriptor, or -1 where too many wait. */
int sockets_dial(void);
/* Who was dialled: a descriptor; -1: nobody. */
int sockets_dialled(void);

#endif
