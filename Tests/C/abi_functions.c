/* abi_functions.c - every function of the installed headers, as programs that are linked with a
 * library of this soname call it: declared once more, so that another signature does not compile.
 * Compiled alone; abi.py says whether it is whole. */
#include <paxos.h>
#include <paxos/entry.h>
#include <paxos_host.h>
#include <paxos_runtime.h>

uint32_t paxos_version(void);
void paxos_panic(const char *condition, const char *file, int line);
void paxos_config_default(paxos_config_t *config);
paxos_status_t paxos_config_check(const paxos_config_t *config, const char **rule_out);
size_t paxos_acceptor_block_bytes(const paxos_config_t *config);
size_t paxos_replica_block_bytes(const paxos_config_t *config);
paxos_status_t paxos_frame_decode(const uint8_t *bytes, size_t length_bytes, paxos_frame_t *frame);
paxos_status_t paxos_run_verify(
    const uint8_t *bytes, size_t length_bytes, uint64_t first_slot, uint32_t count,
    uint32_t value_bytes_max, uint64_t *digest_out);
paxos_status_t paxos_effect_fetched(
    paxos_effect_t *effect, uint32_t count, const uint8_t *entries, size_t entries_bytes);
paxos_status_t paxos_acceptor_init(
    void *block, size_t block_bytes, const paxos_config_t *config, paxos_acceptor_t **acceptor_out);
paxos_status_t paxos_acceptor_recover(
    paxos_acceptor_t *acceptor, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);
paxos_status_t paxos_acceptor_recovered(
    paxos_acceptor_t *acceptor, uint64_t applied_slot, uint64_t acknowledged_lsn);
paxos_status_t paxos_acceptor_receive(
    paxos_acceptor_t *acceptor, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);
bool paxos_acceptor_poll(paxos_acceptor_t *acceptor, paxos_effect_t *effect);
paxos_status_t paxos_acceptor_flushed(paxos_acceptor_t *acceptor, uint64_t lsn);
paxos_status_t paxos_acceptor_sent(paxos_acceptor_t *acceptor, uint64_t token);
paxos_status_t paxos_acceptor_trim(paxos_acceptor_t *acceptor, uint64_t slot);
void paxos_acceptor_retain(paxos_acceptor_t *acceptor, uint64_t first_slot);
paxos_status_t paxos_acceptor_prepare(
    paxos_acceptor_t *acceptor, paxos_ballot_t ballot, paxos_ballot_t *promised_out,
    uint64_t *lsn_out);
paxos_status_t paxos_acceptor_accept(
    paxos_acceptor_t *acceptor, const paxos_run_t *run, uint64_t *lsn_out);
void paxos_acceptor_look(
    const paxos_acceptor_t *acceptor, uint64_t slot, uint32_t *state_out,
    paxos_ballot_t *ballot_out, const uint8_t **value_out, uint32_t *value_bytes_out);
void paxos_acceptor_status(const paxos_acceptor_t *acceptor, paxos_acceptor_status_t *status);
paxos_status_t paxos_replica_init(
    void *block, size_t block_bytes, const paxos_config_t *config, uint64_t now_ns,
    paxos_replica_t **replica_out);
paxos_status_t paxos_replica_recover(
    paxos_replica_t *replica, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);
paxos_status_t paxos_replica_recovered(
    paxos_replica_t *replica, uint64_t now_ns, uint64_t applied_slot, uint64_t acknowledged_lsn);
paxos_status_t paxos_replica_receive(
    paxos_replica_t *replica, uint64_t now_ns, const uint8_t *header, size_t header_bytes,
    const uint8_t *body, size_t body_bytes);
paxos_status_t paxos_replica_propose(
    paxos_replica_t *replica, uint64_t now_ns, const uint8_t *value, size_t value_bytes,
    uint64_t *number_out);
void paxos_replica_tick(paxos_replica_t *replica, uint64_t now_ns);
uint64_t paxos_replica_deadline(const paxos_replica_t *replica);
bool paxos_replica_poll(paxos_replica_t *replica, paxos_effect_t *effect);
bool paxos_replica_poll_io(paxos_replica_t *replica, paxos_effect_t *effect);
bool paxos_replica_poll_log(paxos_replica_t *replica, paxos_effect_t *effect);
bool paxos_replica_has_log(const paxos_replica_t *replica);
paxos_status_t paxos_replica_flushed(paxos_replica_t *replica, uint64_t now_ns, uint64_t lsn);
paxos_status_t paxos_replica_sent(paxos_replica_t *replica, uint64_t token);
paxos_status_t paxos_replica_trim(paxos_replica_t *replica, uint64_t slot);
void paxos_replica_press(paxos_replica_t *replica, uint64_t slot);
void paxos_replica_retain(paxos_replica_t *replica, uint64_t first_slot);
paxos_status_t paxos_replica_campaign(paxos_replica_t *replica, uint64_t now_ns);
void paxos_replica_status(const paxos_replica_t *replica, paxos_replica_status_t *status);
uint32_t paxos_entry_put(uint8_t *out, paxos_entry_t entry, const uint8_t *value);
const paxos_files_t *paxos_files_posix(void);
bool paxos_files_uring_open(paxos_files_t *files_out);
void paxos_files_uring_close(paxos_files_t *files);
const char *paxos_host_number(const char *text, int64_t min, int64_t max, int64_t *number_out);
const char *paxos_host_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes_out);
const char *paxos_host_size_text(uint64_t bytes, char text[PAXOS_HOST_TEXT_BYTES]);
const char *paxos_host_count_text(uint64_t count, char text[PAXOS_HOST_TEXT_BYTES]);
uint64_t paxos_host_seed(void);
uint64_t paxos_host_clock_ns(void);
uint64_t paxos_host_cpu_ns(void);
const char *paxos_journal_words(paxos_journal_status_t status);
paxos_journal_status_t paxos_journal_format(
    const paxos_files_t *files, const char *directory, const paxos_journal_shape_t *shape,
    paxos_journal_fault_t *fault);
paxos_journal_status_t paxos_journal_open(
    const paxos_files_t *files, const char *directory, const paxos_journal_options_t *options,
    paxos_journal_t **journal_out, paxos_journal_fault_t *fault);
void paxos_journal_close(paxos_journal_t *journal);
void paxos_journal_group(
    const paxos_journal_t *journal, uint32_t group, paxos_journal_group_t *group_out);
bool paxos_journal_group_at(
    const paxos_journal_t *journal, uint32_t index, paxos_journal_group_t *group_out);
paxos_journal_status_t paxos_journal_read(paxos_journal_t *journal, paxos_journal_record_t *record);
paxos_journal_status_t paxos_journal_append(
    paxos_journal_t *journal, const uint8_t *header, size_t header_bytes, const uint8_t *body,
    size_t body_bytes);
paxos_journal_status_t paxos_journal_flush(paxos_journal_t *journal);
void paxos_journal_trim(paxos_journal_t *journal, uint32_t group, uint64_t slot);
uint64_t paxos_journal_pressed(const paxos_journal_t *journal, uint32_t group);
uint64_t paxos_journal_retained(const paxos_journal_t *journal, uint32_t group);
paxos_journal_status_t paxos_journal_fetch(
    paxos_journal_t *journal, uint32_t group, uint64_t slot, uint32_t count_max, uint8_t *out,
    size_t out_bytes_max, uint32_t *count_out, size_t *bytes_out);
void paxos_journal_report(const paxos_journal_t *journal, paxos_journal_report_t *report);
const char *paxos_transport_words(paxos_transport_status_t status);
const char *paxos_transport_reason_words(paxos_transport_reason_t reason);
paxos_transport_status_t paxos_transport_open(
    const paxos_transport_options_t *options, uint64_t now_ns, paxos_transport_t **transport_out,
    paxos_transport_fault_t *fault);
void paxos_transport_close(paxos_transport_t *transport);
uint16_t paxos_transport_port(const paxos_transport_t *transport);
int paxos_transport_fd(const paxos_transport_t *transport);
uint64_t paxos_transport_deadline(const paxos_transport_t *transport);
paxos_transport_status_t paxos_transport_watch(paxos_transport_t *transport, int file);
paxos_transport_status_t paxos_transport_send(
    paxos_transport_t *transport, const uint8_t *header, const uint8_t *body, size_t body_bytes);
void paxos_transport_flush(paxos_transport_t *transport, uint64_t now_ns);
paxos_transport_status_t paxos_transport_poll(
    paxos_transport_t *transport, uint64_t now_ns, uint64_t timeout_ns);
bool paxos_transport_next(paxos_transport_t *transport, paxos_transport_frame_t *frame);
bool paxos_transport_event(paxos_transport_t *transport, paxos_transport_event_t *event);
bool paxos_transport_peer_report(
    const paxos_transport_t *transport, uint16_t node, paxos_transport_peer_report_t *report);
void paxos_transport_report(const paxos_transport_t *transport, paxos_transport_report_t *report);
const char *paxos_host_words(paxos_host_status_t status);
paxos_host_status_t paxos_host_format(
    const paxos_host_options_t *options, paxos_host_fault_t *fault);
paxos_host_status_t paxos_host_open(
    const paxos_host_options_t *options, paxos_host_t **host_out, paxos_host_fault_t *fault);
void paxos_host_close(paxos_host_t *host);
paxos_host_status_t paxos_host_poll(paxos_host_t *host, uint64_t timeout_ns);
int paxos_host_fd(const paxos_host_t *host);
uint64_t paxos_host_deadline(const paxos_host_t *host);
void paxos_host_wake(paxos_host_t *host);
bool paxos_host_next(paxos_host_t *host, paxos_host_event_t *event);
paxos_status_t paxos_host_propose(
    paxos_host_t *host, uint32_t group, const uint8_t *value, size_t value_bytes,
    uint64_t *number_out);
paxos_status_t paxos_host_trim(paxos_host_t *host, uint32_t group, uint64_t slot);
paxos_status_t paxos_host_campaign(paxos_host_t *host, uint32_t group);
bool paxos_host_replica_status(
    const paxos_host_t *host, uint32_t group, paxos_replica_status_t *status);
void paxos_host_report(const paxos_host_t *host, paxos_host_report_t *report);
const paxos_journal_t *paxos_host_journal(const paxos_host_t *host);
const paxos_transport_t *paxos_host_transport(const paxos_host_t *host);
