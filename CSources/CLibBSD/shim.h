/* What this project uses of libbsd, with a clear word where it is missing. */
#ifndef PAXOS_LIBBSD_SHIM_H
#define PAXOS_LIBBSD_SHIM_H

#if defined(__linux__)
#if !__has_include(<bsd/stdlib.h>)
#error "libbsd is missing: apt-get install libbsd-dev"
#endif
#include <bsd/stdlib.h>
#include <bsd/unistd.h>
#include <bsd/libutil.h>
#else
#include <stdlib.h>
#include <unistd.h>
#include <libutil.h>
#endif

#endif
