/* What this project uses of libsodium, with a clear word where it is missing. */
#ifndef PAXOS_SODIUM_SHIM_H
#define PAXOS_SODIUM_SHIM_H

#if !__has_include(<sodium.h>)
#error "libsodium is missing: apt-get install libsodium-dev"
#endif
#include <sodium.h>

#endif
