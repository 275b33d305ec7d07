/* config.c - fuzz target: a configuration that passes the check makes a node; any other makes none.
 *
 * Input: two choices and the bytes of a paxos_config_t, laid over the default one. */
#include "fuzz.h"
#include "paxos.h"
#include "paxos/layout.h"

enum { BLOCK_BYTES_MAX = 1 << 22 };

/* The parts of the block lie in it one behind the other, each aligned. */
static void check_layout(const paxos_acceptor_t *a, const paxos_config_t *config) {
    const uint32_t starts[] = {a->cells_offset, a->replies_offset, a->writes_offset};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        CHECK(starts[i] % 8 == 0 && starts[i] < a->members_offset);
    }
    CHECK(a->members_offset < a->sends_offset && a->sends_offset < a->arena_offset);
    CHECK(a->arena_offset % 16 == 0);
    CHECK((uint64_t)a->arena_offset + a->arena_bytes <= a->block_bytes);
    CHECK(a->arena_bytes == config->arena_bytes);
    CHECK(paxos_members(a)[a->self_index].node == config->node);
    CHECK(a->q1 >= 1 && a->q2 >= 1 && a->q1 + a->q2 > a->member_count);
    CHECK(a->q1 <= a->member_count && a->q2 <= a->member_count);
    CHECK(a->run_bytes_max >= paxos_entry_bytes(config->value_bytes_max));
    CHECK(a->body_bytes_max >= paxos_entry_bytes(config->value_bytes_max));
}

static void check_block(const paxos_config_t *config, size_t block_bytes, bool is_replica) {
    uint8_t *block = aligned_alloc(PAXOS_BLOCK_ALIGNMENT, block_bytes);
    CHECK(block != NULL);
    paxos_replica_t *replica = NULL;
    paxos_acceptor_t *acceptor = NULL;
    CHECK(
        (is_replica
             ? paxos_replica_init(block, block_bytes - 1, config, 0, &replica)
             : paxos_acceptor_init(block, block_bytes - 1, config, &acceptor)) == PAXOS_ERR_CONFIG);
    CHECK(
        (is_replica ? paxos_replica_init(block, block_bytes, config, 0, &replica)
                    : paxos_acceptor_init(block, block_bytes, config, &acceptor)) == PAXOS_OK);
    check_layout((const paxos_acceptor_t *)(const void *)block, config);
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    paxos_config_t config;
    paxos_config_default(&config);
    config.cluster = config.node = config.members[0] = config.member_count = 1;
    input_t input = {data, size};
    const uint8_t how = input_byte(&input);
    const uint8_t from = input_byte(&input);
    const size_t offset = how & 1u ? from % sizeof config : 0;
    const size_t length = input.left < sizeof config - offset ? input.left : sizeof config - offset;
    memcpy((uint8_t *)&config + offset, input.at, length);
    const char *rule = "?";
    const paxos_status_t status = paxos_config_check(&config, &rule);
    const size_t acceptor_bytes = paxos_acceptor_block_bytes(&config);
    const size_t replica_bytes = paxos_replica_block_bytes(&config);
    CHECK((status == PAXOS_OK) == (rule == NULL));
    if (status != PAXOS_OK) {
        CHECK(status == PAXOS_ERR_CONFIG && acceptor_bytes == 0 && replica_bytes == 0);
        return 0;
    }
    CHECK(acceptor_bytes != 0 && acceptor_bytes % PAXOS_BLOCK_ALIGNMENT == 0);
    CHECK(replica_bytes > acceptor_bytes && replica_bytes % PAXOS_BLOCK_ALIGNMENT == 0);
    if (replica_bytes <= BLOCK_BYTES_MAX) {
        check_block(&config, acceptor_bytes, false);
        check_block(&config, replica_bytes, true);
    }
    return 0;
}
