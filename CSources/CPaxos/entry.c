/* entry.c - see entry.h. */
#include "paxos/hot_entry.h"

uint32_t paxos_entry_put_long(
    uint8_t *out, uint64_t origin_word, uint64_t number, const uint8_t *value,
    uint32_t value_bytes) {
    const uint32_t entry_bytes = paxos_entry_bytes(value_bytes);
    paxos_put32(out + 4, value_bytes);
    paxos_put64(out + 8, origin_word);
    paxos_put64(out + 16, number);
    if (value_bytes > 0) {
        paxos_put64(out + entry_bytes - 8, 0); /* padding, before the value covers most of it */
        //@ assert low: paxos_le32(out + (entry_bytes - 8)) == 0;
        //@ assert high: paxos_le32(out + (entry_bytes - 4)) == 0;
        //@ assert first: out[entry_bytes - 8] == 0 && out[entry_bytes - 7] == 0;
        //@ assert second: out[entry_bytes - 6] == 0 && out[entry_bytes - 5] == 0;
        //@ assert third: out[entry_bytes - 4] == 0 && out[entry_bytes - 3] == 0;
        //@ assert last: out[entry_bytes - 2] == 0 && out[entry_bytes - 1] == 0;
        /*@ assert each: \forall integer i; i == entry_bytes - 8 || i == entry_bytes - 7 ||
                   i == entry_bytes - 6 || i == entry_bytes - 5 || i == entry_bytes - 4 ||
                   i == entry_bytes - 3 || i == entry_bytes - 2 || i == entry_bytes - 1 ==>
                   out[i] == 0; */
        /*@ assert zeros: \forall integer i; entry_bytes - 8 <= i < entry_bytes ==>
                   out[i] == 0; */
        paxos_copy(out + PAXOS_ENTRY_HEADER_BYTES, value, value_bytes);
    }
    //@ assert value: paxos_equal_bytes(out + 24, value, value_bytes);
    /*@ assert padding: \forall integer i; 24 + value_bytes <= i < entry_bytes ==>
               out[i] == 0; */
    //@ ghost Filled: ;
    paxos_put32(out, paxos_crc32c_words(0, out + 4, entry_bytes - 4));
    /*@ assert kept: \forall integer i; 4 <= i < entry_bytes ==>
               out[i] == \at(out[i], Filled); */
    /*@ assert same: \forall integer i; 0 <= i < entry_bytes - 4 ==>
               (out + 4)[i] == \at((out + 4)[i], Filled); */
    //@ assert sealed: paxos_le32(out) == paxos_crc(0, out + 4, entry_bytes - 4);
    //@ assert same_value: paxos_equal_bytes(out + 24, value, value_bytes);
    return entry_bytes;
}

uint32_t paxos_entry_put(uint8_t *out, paxos_entry_t entry, const uint8_t *value) {
    PAXOS_ASSERT(entry.value_bytes <= PAXOS_VALUE_BYTES_MAX);
    return paxos_entry_write(out, &entry, value);
}
