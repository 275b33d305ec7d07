/* crc32c.c - the checksum: plain C, and the long-input code of x86-64 and arm64.
 *
 * Owns     the tables, all constant, and paxos_cpu_facts.
 * Never    reads a byte it was not given; the vector loads too stay inside.
 * Threads  any.
 * Source   Sarwate, "Computation of cyclic redundancy checks via table look-up", CACM 31(8), 1988,
 *          taken four bits at a time and four bytes at once;
 *          Gopal et al., "Fast CRC computation for generic polynomials using PCLMULQDQ
 *          instruction", Intel, 2009. */

#include "paxos/crc32c.h"

/* ---- Plain C ----
 *
 * crc_top_nibble[n] is what bit pattern n, as the highest four bits of the state, becomes after 32
 * bits; and as the lowest, after four. */
static const uint32_t crc_top_nibble[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

#if PAXOS_SHORT_WAY

/* crc_nibbles[i][n]: the same as the i-th lowest four bits. A state is the exclusive or of its
 * eight nibbles, so eight lookups that do not wait for each other advance it four bytes: twice as
 * fast as one table of 256 words, in half its size. */
static const uint32_t crc_nibbles[7][16] = {
    {0x00000000, 0xDD45AAB8, 0xBF672381, 0x62228939, 0x7B2231F3, 0xA6679B4B, 0xC4451272, 0x1900B8CA,
     0xF64463E6, 0x2B01C95E, 0x49234067, 0x9466EADF, 0x8D665215, 0x5023F8AD, 0x32017194,
     0xEF44DB2C},
    {0x00000000, 0xE964B13D, 0xD725148B, 0x3E41A5B6, 0xABA65FE7, 0x42C2EEDA, 0x7C834B6C, 0x95E7FA51,
     0x52A0C93F, 0xBBC47802, 0x8585DDB4, 0x6CE16C89, 0xF90696D8, 0x106227E5, 0x2E238253,
     0xC747336E},
    {0x00000000, 0xA541927E, 0x4F6F520D, 0xEA2EC073, 0x9EDEA41A, 0x3B9F3664, 0xD1B1F617, 0x74F06469,
     0x38513EC5, 0x9D10ACBB, 0x773E6CC8, 0xD27FFEB6, 0xA68F9ADF, 0x03CE08A1, 0xE9E0C8D2,
     0x4CA15AAC},
    {0x00000000, 0x70A27D8A, 0xE144FB14, 0x91E6869E, 0xC76580D9, 0xB7C7FD53, 0x26217BCD, 0x56830647,
     0x8B277743, 0xFB850AC9, 0x6A638C57, 0x1AC1F1DD, 0x4C42F79A, 0x3CE08A10, 0xAD060C8E,
     0xDDA47104},
    {0x00000000, 0x13A29877, 0x274530EE, 0x34E7A899, 0x4E8A61DC, 0x5D28F9AB, 0x69CF5132, 0x7A6DC945,
     0x9D14C3B8, 0x8EB65BCF, 0xBA51F356, 0xA9F36B21, 0xD39EA264, 0xC03C3A13, 0xF4DB928A,
     0xE7790AFD},
    {0x00000000, 0x3FC5F181, 0x7F8BE302, 0x404E1283, 0xFF17C604, 0xC0D23785, 0x809C2506, 0xBF59D487,
     0xFBC3FAF9, 0xC4060B78, 0x844819FB, 0xBB8DE87A, 0x04D43CFD, 0x3B11CD7C, 0x7B5FDFFF,
     0x449A2E7E},
    {0x00000000, 0xF26B8303, 0xE13B70F7, 0x1350F3F4, 0xC79A971F, 0x35F1141C, 0x26A1E7E8, 0xD4CA64EB,
     0x8AD958CF, 0x78B2DBCC, 0x6BE22838, 0x9989AB3B, 0x4D43CFD0, 0xBF284CD3, 0xAC78BF27,
     0x5E133C24},
};

/*@ assigns \nothing; */
static uint32_t crc_portable_step4(uint32_t state) {
    return crc_nibbles[0][state & 15] ^ crc_nibbles[1][(state >> 4) & 15] ^
           crc_nibbles[2][(state >> 8) & 15] ^ crc_nibbles[3][(state >> 12) & 15] ^
           crc_nibbles[4][(state >> 16) & 15] ^ crc_nibbles[5][(state >> 20) & 15] ^
           crc_nibbles[6][(state >> 24) & 15] ^ crc_top_nibble[(state >> 28) & 15];
}

#else

static uint32_t crc_portable_step4(uint32_t state) {
    for (int i = 0; i < 8; i++) { state = (state >> 4) ^ crc_top_nibble[state & 15]; }
    return state;
}

#endif

/*@ requires \valid_read(bytes + (0 .. 3));
    assigns \nothing; */
static uint32_t crc_le32(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | ((uint32_t)bytes[1] << 8) | ((uint32_t)bytes[2] << 16) |
           ((uint32_t)bytes[3] << 24);
}

/*@ assigns \nothing; */
static uint32_t crc_portable_step1(uint32_t state) {
    state = (state >> 4) ^ crc_top_nibble[state & 15];
    return (state >> 4) ^ crc_top_nibble[state & 15];
}

uint32_t paxos_crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    uint32_t state = ~crc;
    size_t at = 0;
    /*@ loop invariant 0 <= at <= length_bytes;
        loop assigns at, state;
        loop variant length_bytes - at; */
    for (; length_bytes - at >= 4; at += 4) {
        state = crc_portable_step4(state ^ crc_le32(bytes + at));
    }
    /*@ loop invariant 0 <= at <= length_bytes;
        loop assigns at, state;
        loop variant length_bytes - at; */
    for (; at < length_bytes; at += 1) { state = crc_portable_step1(state ^ bytes[at]); }
    /* What is proved is that every byte read is one that was given; which number comes out is
     * tested, and taken for granted here. */
    //@ admit checksum: (uint32_t)(~state) == paxos_crc(crc, bytes, length_bytes);
    return ~state;
}

#if defined(PAXOS_CRC32C_NONE)

/* ---- No instruction: the plain code is all there is ---- */

/*@ assigns \nothing; */
void paxos_cpu_detect(void) {
}

/*@ assigns \nothing; */
void paxos_cpu_force_portable(bool portable) {
    (void)portable;
}

uint32_t paxos_crc32c(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    return paxos_crc32c_portable(crc, bytes, length_bytes);
}

#else

/* ---- What x86-64 and arm64 share ---- */

uint32_t paxos_cpu_facts = 0;

static void crc_facts_set(uint32_t facts) {
    __atomic_store_n(&paxos_cpu_facts, facts, __ATOMIC_RELAXED);
}

/* One chain of instructions; each waits for the one before, so this is for short inputs. */
static uint32_t crc_chain(uint32_t start, const uint8_t *bytes, size_t length_bytes) {
    uint64_t state = start;
    size_t at = 0;
    for (; length_bytes - at >= 8; at += 8) { state = paxos_crc32c_step8(state, bytes + at); }
    if (length_bytes - at >= 4) {
        state = paxos_crc32c_step4(state, bytes + at);
        at += 4;
    }
    for (; at < length_bytes; at += 1) { state = paxos_crc32c_step1(state, bytes + at); }
    return (uint32_t)state;
}

#endif

#if defined(PAXOS_CRC32C_ARM)

/* ---- arm64: the compiler was told that the instruction exists ---- */

static uint32_t crc_cpu_facts(void) {
    return PAXOS_CPU_DETECTED | PAXOS_CPU_CRC32C;
}

uint32_t paxos_crc32c(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    if (!paxos_cpu_has(PAXOS_CPU_CRC32C)) {
        return paxos_crc32c_portable(crc, bytes, length_bytes);
    }
    return ~crc_chain(~crc, bytes, length_bytes);
}

#elif defined(PAXOS_CRC32C_X86)

/* ---- x86-64: long inputs by carry-less multiplication ----
 *
 * A lane of 16 bytes may be added (exclusive or) to the lane that stands d lanes after it once its
 * first 8 bytes are multiplied by x^(128 d + 32) mod P and its last 8 by x^(128 d - 32) mod P: the
 * CRC of the whole stays. So any number of lanes fall into the last one, and two crc32q finish it.
 * Nothing waits: each lane moves straight to the end, by its own distance. Inputs too long for the
 * table first go round a loop that moves every lane by the loop's stride.
 *
 * Vector types and assembly rather than <immintrin.h>: gcc's includes <stdlib.h>. */

#include <cpuid.h>

typedef uint64_t crc_v2_t __attribute__((vector_size(16)));
typedef uint64_t crc_v4_t __attribute__((vector_size(32)));
typedef uint64_t crc_v8_t __attribute__((vector_size(64)));

#define CRC_CLMUL __attribute__((target("sse4.2,pclmul")))
#define CRC_CLMUL512 __attribute__((target("sse4.2,avx512f,avx512bw,avx512vbmi2,vpclmulqdq")))

enum {
    CRC_LANE_BYTES = 16,
    CRC_BLOCK_BYTES = 64,       /* four lanes                                          */
    CRC_BLOCKS_PARALLEL = 7,    /* whole blocks that need no loop                      */
    CRC_DISTANCE_MAX = 31,      /* in lanes: a head and that many blocks               */
    CRC_CHAIN_LANES_MAX = 16,   /* the first of three chains moves by twice this       */
    CRC_CHAINS_BYTES_MIN = 144, /* from here on three chains beat one, merge included  */
};

/* What the first and the last 8 bytes of a lane are multiplied by. */
typedef struct crc_key {
    uint64_t first;
    uint64_t last;
} crc_key_t;

/* crc_keys[CRC_DISTANCE_MAX - d] moves a lane by d lanes (d as in the comments). The largest comes
 * first, so that the 64 bytes that end k blocks before the end of the table are the keys of the
 * block that ends k blocks before the end of the input. Numbers are bit-reflected, and shifted
 * left by one since the product of two reflected numbers comes out one bit short. */
static const _Alignas(CRC_BLOCK_BYTES) crc_key_t crc_keys[CRC_DISTANCE_MAX + 1] = {
    {0x04E36F0B0, 0x0064F7F26}, {0x088F25A3A, 0x0B3E32C28}, /* 31, 30 */
    {0x12913343E, 0x1EE54F54C}, {0x19F1C69DC, 0x11EEF4F8E}, /* 29, 28 */
    {0x1E50585A0, 0x065863B64}, {0x096638B34, 0x12ED0DAAC}, /* 27, 26 */
    {0x0E9ADF796, 0x1C3F5F66C}, {0x105405F3E, 0x0D270F1A2}, /* 25, 24 */
    {0x188815AB2, 0x061D82E56}, {0x1A5E82106, 0x0CE7F39F4}, /* 23, 22 */
    {0x08F158014, 0x1A3E0968A}, {0x021F3D99C, 0x1BF2E8B8A}, /* 21, 20 */
    {0x11D5CA20E, 0x17D35BA46}, {0x06051D5A2, 0x1B331E26A}, /* 19, 18 */
    {0x0F37C5AEE, 0x018B33A4E}, {0x0DCB17AA4, 0x0B9E02B86}, /* 17, 16 */
    {0x0FFD852C6, 0x12C743124}, {0x071D111A8, 0x083348832}, /* 15, 14 */
    {0x08462D800, 0x1248EA574}, {0x0A87AB8A8, 0x0AB7AFF2A}, /* 13, 12 */
    {0x0F1D0F55E, 0x0DAECE73E}, {0x11ED1F9D8, 0x18266E456}, /* 11, 10 */
    {0x07E908048, 0x0C96CFDC0}, {0x06992CEA2, 0x00D3B6092}, /* 9, 8 */
    {0x02AD91C30, 0x14237F5E6}, {0x1C1733996, 0x102F9B8A2}, /* 7, 6 */
    {0x0083A6EEC, 0x039D3B296}, {0x0740EEF02, 0x09E4ADDF8}, /* 5, 4 */
    {0x01C291D04, 0x1D82C63DA}, {0x1384AA63A, 0x0BA4FC28E}, /* 3, 2 */
    {0x0F20C0DFE, 0x14CD00BD6}, {0x105EC76F0, 0x1AC21ACFC}, /* 1, 0 */
};

/* A state, moved to a lane this many lanes after the one that it was to be added to. */
static crc_v2_t CRC_CLMUL crc_v2_move(uint64_t state, size_t distance) {
    crc_v2_t value = {state, 0};
    const crc_v2_t key = {crc_keys[CRC_DISTANCE_MAX - distance].first, 0};
    __asm__("pclmulqdq $0x00, %1, %0" : "+x"(value) : "x"(key));
    return value;
}

/* A lane is worth the state that its 16 bytes lead to from zero. */
static uint32_t crc_lane_state(crc_v2_t lane) {
    uint64_t words[2];
    __builtin_memcpy(words, &lane, sizeof words);
    uint64_t state = 0;
    __asm__("crc32q %1, %0" : "+r"(state) : "r"(words[0]));
    __asm__("crc32q %1, %0" : "+r"(state) : "r"(words[1]));
    return (uint32_t)state;
}

/* Three chains over thirds of the input, then the states of the first two moved to the end. Where
 * there is no vpclmulqdq this beats folding, or equals it: the CPU starts a crc32q every cycle. */
static uint32_t CRC_CLMUL crc_chains(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    uint64_t state = (uint32_t)~crc;
    while (length_bytes >= CRC_CHAINS_BYTES_MIN) {
        size_t lanes = length_bytes / (3 * CRC_LANE_BYTES);
        lanes = lanes < CRC_CHAIN_LANES_MAX ? lanes : CRC_CHAIN_LANES_MAX;
        const size_t chain_bytes = lanes * CRC_LANE_BYTES;
        uint64_t state1 = 0;
        uint64_t state2 = 0;
        for (size_t at = 0; at < chain_bytes; at += 8) {
            state = paxos_crc32c_step8(state, bytes + at);
            state1 = paxos_crc32c_step8(state1, bytes + chain_bytes + at);
            state2 = paxos_crc32c_step8(state2, bytes + 2 * chain_bytes + at);
        }
        state = state2 ^
                crc_lane_state(crc_v2_move(state, 2 * lanes - 1) ^ crc_v2_move(state1, lanes - 1));
        bytes += 3 * chain_bytes;
        length_bytes -= 3 * chain_bytes;
    }
    return ~crc_chain((uint32_t)state, bytes, length_bytes);
}

static crc_v8_t CRC_CLMUL512 crc_v8_load(const void *bytes) {
    crc_v8_t value;
    __builtin_memcpy(&value, bytes, sizeof value);
    return value;
}

/* The keys that move a block with this many blocks after it into the last lane of the last. */
static crc_v8_t CRC_CLMUL512 crc_v8_key(size_t blocks_after) {
    return crc_v8_load(crc_keys + 4 * (CRC_BLOCKS_PARALLEL - blocks_after));
}

/* The keys that move every lane of a block by this many lanes. In assembly since gcc 12 would go
 * through the stack and stall. */
static crc_v8_t CRC_CLMUL512 crc_v8_key_stride(size_t distance) {
    crc_v8_t keys;
    __asm__("vbroadcasti32x4 %1, %0" : "=v"(keys) : "m"(crc_keys[CRC_DISTANCE_MAX - distance]));
    return keys;
}

static crc_v8_t CRC_CLMUL512 crc_v8_fold(crc_v8_t value, crc_v8_t key) {
    crc_v8_t first;
    crc_v8_t last;
    __asm__("vpclmulqdq $0x00, %2, %1, %0" : "=v"(first) : "v"(value), "v"(key));
    __asm__("vpclmulqdq $0x11, %2, %1, %0" : "=v"(last) : "v"(value), "v"(key));
    return first ^ last;
}

/* The first `count` bytes of a block, moved to its end, behind zeros: zeros before an input do
 * not change its (unfinished) CRC. */
static crc_v8_t CRC_CLMUL512 crc_v8_align_end(crc_v8_t value, size_t count) {
    const uint64_t mask = ~(~UINT64_C(0) >> count);
    crc_v8_t result;
    __asm__("vpexpandb %1, %0%{%2%}%{z%}" : "=v"(result) : "v"(value), "Yk"(mask));
    return result;
}

/* Four partial sums of the last lane, added: the finished crc. */
static uint32_t CRC_CLMUL512 crc_v8_finish(crc_v8_t sum) {
    const crc_v4_t half = __builtin_shufflevector(sum, sum, 0, 1, 2, 3) ^
                          __builtin_shufflevector(sum, sum, 4, 5, 6, 7);
    return ~crc_lane_state(
        __builtin_shufflevector(half, half, 0, 1) ^ __builtin_shufflevector(half, half, 2, 3));
}

/* `sum` and up to CRC_BLOCKS_PARALLEL blocks that end the input. */
static uint32_t CRC_CLMUL512 crc_v8_last_blocks(crc_v8_t sum, const uint8_t *bytes, size_t blocks) {
    for (; blocks > 0; blocks -= 1) {
        sum ^= crc_v8_fold(crc_v8_load(bytes), crc_v8_key(blocks - 1));
        bytes += CRC_BLOCK_BYTES;
    }
    return crc_v8_finish(sum);
}

/* More blocks than CRC_BLOCKS_PARALLEL: `first` is the first one with all that came before it;
 * `bytes` are the others. */
static uint32_t CRC_CLMUL512
crc_v8_many_blocks(crc_v8_t first, const uint8_t *bytes, size_t blocks) {
    crc_v8_t block0 = first;
    crc_v8_t block1 = crc_v8_load(bytes);
    crc_v8_t block2 = crc_v8_load(bytes + 64);
    crc_v8_t block3 = crc_v8_load(bytes + 128);
    const crc_v8_t stride = crc_v8_key_stride(16);
    bytes += 192;
    blocks -= 3;
    for (; blocks >= 4; blocks -= 4) {
        block0 = crc_v8_fold(block0, stride) ^ crc_v8_load(bytes);
        block1 = crc_v8_fold(block1, stride) ^ crc_v8_load(bytes + 64);
        block2 = crc_v8_fold(block2, stride) ^ crc_v8_load(bytes + 128);
        block3 = crc_v8_fold(block3, stride) ^ crc_v8_load(bytes + 192);
        bytes += 256;
    }
    const crc_v8_t sum =
        crc_v8_fold(block0, crc_v8_key(blocks + 3)) ^ crc_v8_fold(block1, crc_v8_key(blocks + 2)) ^
        crc_v8_fold(block2, crc_v8_key(blocks + 1)) ^ crc_v8_fold(block3, crc_v8_key(blocks));
    return crc_v8_last_blocks(sum, bytes, blocks);
}

/* The input is a head of 0 to 63 bytes and then whole blocks. The crc so far is added to the first
 * four bytes, of which up to four are behind the head.
 * Pre  length_bytes >= CRC_BLOCK_BYTES. */
static uint32_t CRC_CLMUL512 crc_fold(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    const uint32_t start = ~crc;
    const size_t head_bytes = length_bytes % CRC_BLOCK_BYTES;
    const size_t blocks = length_bytes / CRC_BLOCK_BYTES;
    const uint64_t behind_head = (uint64_t)start >> (8 * (head_bytes < 4 ? head_bytes : 4));
    const crc_v8_t head = crc_v8_align_end(crc_v8_load(bytes) ^ (crc_v8_t){start}, head_bytes);
    const crc_v8_t first = crc_v8_load(bytes + head_bytes) ^ (crc_v8_t) { behind_head };
    bytes += head_bytes + CRC_BLOCK_BYTES;
    if (blocks > CRC_BLOCKS_PARALLEL) {
        const crc_v8_t sum = first ^ crc_v8_fold(head, crc_v8_key_stride(4));
        return crc_v8_many_blocks(sum, bytes, blocks - 1);
    }
    const crc_v8_t sum =
        crc_v8_fold(head, crc_v8_key(blocks)) ^ crc_v8_fold(first, crc_v8_key(blocks - 1));
    return crc_v8_last_blocks(sum, bytes, blocks - 1);
}

/* Does the operating system keep the 512-bit registers across a switch of threads? */
static bool crc_os_saves_avx512(void) {
    uint32_t low;
    uint32_t high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 0xE6u) == 0xE6u; /* SSE, AVX, mask registers, both halves of zmm */
}

static uint32_t crc_cpu_facts(void) {
    const uint32_t wanted7b = (UINT32_C(1) << 16) | (UINT32_C(1) << 30); /* avx512f, bw */
    const uint32_t wanted7c = (UINT32_C(1) << 6) | (UINT32_C(1) << 10);  /* vbmi2, vpclmulqdq */
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
    uint32_t facts = PAXOS_CPU_DETECTED;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSE4_2) == 0) { return facts; }
    facts |= PAXOS_CPU_CRC32C;
    if ((c & bit_PCLMUL) == 0) { return facts; }
    facts |= PAXOS_CPU_CLMUL;
    if ((c & bit_OSXSAVE) == 0 || !crc_os_saves_avx512()) { return facts; }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) { return facts; }
    if ((b & wanted7b) == wanted7b && (c & wanted7c) == wanted7c) { facts |= PAXOS_CPU_CLMUL512; }
    return facts;
}

uint32_t paxos_crc32c(uint32_t crc, const uint8_t *bytes, size_t length_bytes) {
    if (length_bytes >= PAXOS_CRC32C_LONG_BYTES && paxos_cpu_has(PAXOS_CPU_CLMUL512)) {
        return crc_fold(crc, bytes, length_bytes);
    }
    if (length_bytes >= CRC_CHAINS_BYTES_MIN && paxos_cpu_has(PAXOS_CPU_CLMUL)) {
        return crc_chains(crc, bytes, length_bytes);
    }
    if (!paxos_cpu_has(PAXOS_CPU_CRC32C)) {
        return paxos_crc32c_portable(crc, bytes, length_bytes);
    }
    return ~crc_chain(~crc, bytes, length_bytes);
}

#endif

#if !defined(PAXOS_CRC32C_NONE)

void paxos_cpu_detect(void) {
    if (!paxos_cpu_has(PAXOS_CPU_DETECTED | PAXOS_CPU_FORCED)) { crc_facts_set(crc_cpu_facts()); }
}

void paxos_cpu_force_portable(bool portable) {
    crc_facts_set(portable ? (uint32_t)PAXOS_CPU_FORCED : crc_cpu_facts());
}

#endif
