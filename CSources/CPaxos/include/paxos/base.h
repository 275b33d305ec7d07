/* base.h - statuses, limits, version and the few macros that every header needs.
 *
 * Owns     nothing.
 * Never    includes more than the freestanding headers.
 * Threads  any. */
#ifndef PAXOS_BASE_H
#define PAXOS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define PAXOS_STATIC_ASSERT(condition, message) static_assert(condition, message)
#else
#define PAXOS_STATIC_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#if (defined(__GNUC__) || defined(__clang__)) && !defined(__FRAMAC__)
#define PAXOS_MUST_USE __attribute__((warn_unused_result))
#define PAXOS_NORETURN __attribute__((noreturn))
#define PAXOS_INLINE __attribute__((always_inline)) /* what is smaller than a call of it */
#define PAXOS_ONCE __attribute__((noinline, unused))
#define PAXOS_COLD __attribute__((noinline, cold)) /* keeps what is rare out of hot functions */
#define PAXOS_LIKELY(condition) (__builtin_expect(!!(condition), 1))
#define PAXOS_UNLIKELY(condition) (__builtin_expect(!!(condition), 0))
#else
#define PAXOS_MUST_USE
#define PAXOS_COLD
#define PAXOS_NORETURN
#define PAXOS_INLINE
#define PAXOS_ONCE inline
#define PAXOS_LIKELY(condition) (condition)
#define PAXOS_UNLIKELY(condition) (condition)
#endif

/* Speed or size, decided here for the whole library. Built for speed, the path of every frame takes
 * no call (PAXOS_HOT, and PAXOS_HOT_LONG for what is many instructions), and what is done with
 * every commit has a short way of its own beside the long one that does the same and more. Built
 * for size (-Os), there is the long way alone, and what is long is there once. Swift reads every
 * header as if for size, whatever it builds for: there PAXOS_FOR_SIZE says it. */
#if !defined(__GNUC__) || defined(PAXOS_FOR_SIZE) || \
    (defined(__OPTIMIZE_SIZE__) && !defined(__swift__))
#define PAXOS_HOT
#define PAXOS_HOT_LONG PAXOS_ONCE static
#define PAXOS_APART
#define PAXOS_SHORT_WAY 0
#else
#define PAXOS_HOT __attribute__((always_inline))
#define PAXOS_HOT_LONG PAXOS_HOT static inline
#define PAXOS_APART __attribute__((noinline)) /* so that its caller needs fewer registers */
#define PAXOS_SHORT_WAY 1
#endif

/* Keep a word in an integer register: a vector load of two fresh stores waits for the cache. Where
 * such a word takes two registers there are no such vectors. */
#if PAXOS_SHORT_WAY && UINTPTR_MAX > UINT32_MAX && !defined(__FRAMAC__)
#define PAXOS_SCALAR(word) __asm__("" : "+r"(word))
#else
#define PAXOS_SCALAR(word) ((void)0)
#endif

/* What a call came to. Errors are for what others may do wrong; what only we can do wrong traps. */
typedef enum paxos_status {
    PAXOS_OK = 0,
    PAXOS_ERR_STALE = -1,      /* routine: a higher ballot exists, the reply names it          */
    PAXOS_ERR_FULL = -2,       /* window or arena is full: try again after a trim              */
    PAXOS_ERR_WIRE = -3,       /* their bytes are bad: drop, state untouched                   */
    PAXOS_ERR_CORRUPT = -4,    /* our bytes are bad, or the block is no block: stop this node  */
    PAXOS_ERR_FOREIGN = -5,    /* a well-formed frame of another cluster, group or node: drop  */
    PAXOS_ERR_CONFLICT = -6,   /* other bytes for a ballot and slot already voted: refused     */
    PAXOS_ERR_BUSY = -7,       /* would block: no room for the effects, poll and try again     */
    PAXOS_ERR_TOO_LARGE = -8,  /* the value is over the configured limit                       */
    PAXOS_ERR_CONFIG = -9,     /* the configuration breaks a rule: see paxos_config_check      */
    PAXOS_ERR_NO_LEADER = -10, /* nobody leads as far as this node knows: try again later      */
    PAXOS_ERR_PIPELINE = -11,  /* pipeline or in-flight bytes are full: poll and try again     */
    PAXOS_ERR_TRIMMED = -12,   /* the slots asked for are below the trim point                 */
    PAXOS_ERR_RANGE = -13,     /* an argument is out of its documented range                   */
    PAXOS_ERR_ABSTAINS = -14   /* this node lost what it promised: it votes no more            */
} paxos_status_t;

#define PAXOS_VERSION 0x000100u /* 0.1.0: major << 16 | minor << 8 | patch */
#define PAXOS_WIRE_VERSION 1u

/* Limits that no configuration may exceed. Every loop of the core is bounded by one of them. */
#define PAXOS_MEMBERS_MAX 31u
#define PAXOS_WINDOW_SLOTS_MAX (1u << 20)
#define PAXOS_VALUE_BYTES_MAX (16u << 20)
#define PAXOS_FRAME_BYTES_MAX (32u << 20)
#define PAXOS_ARENA_BYTES_MAX (1u << 31)
#define PAXOS_RING_MAX (1u << 16)
#define PAXOS_SLOT_MAX ((uint64_t)1 << 62) /* counters fail closed long before they wrap */
#define PAXOS_BLOCK_ALIGNMENT 64u

/* Version of the library that is linked, as PAXOS_VERSION is of the header. */
/*@ assigns \nothing;
    ensures \result == PAXOS_VERSION; */
uint32_t paxos_version(void);

/* Called when an invariant that only this library can break is broken, or an argument breaks a rule
 * where no status can say so; prints nothing by itself. The default stops the program; a host may
 * define its own, which must not return, nor call on the block, journal or host of the call that it
 * comes from: that one ended halfway. Who leaves it by longjmp uses these no more. */
PAXOS_NORETURN void paxos_panic(const char *condition, const char *file, int line);

#if defined(__FRAMAC__)

/* For a prover an assertion is a theorem: it never fires. */
/*@ requires never_fires: condition != 0;
    assigns \nothing; */
void paxos_proved(bool condition);
#define PAXOS_ASSERT(condition) paxos_proved(condition)

#else

#define PAXOS_ASSERT(condition)                                                            \
    do {                                                                                   \
        if (PAXOS_UNLIKELY(!(condition))) { paxos_panic(#condition, __FILE__, __LINE__); } \
    } while (0)

#endif

#ifdef __cplusplus
}
#endif
#endif
