import CPaxos
import Testing

/// What only this library, or its host, can break stops the program, in release builds too.
struct PanicTests {
    @Test("polling with the effect of another library stops the program")
    func wrongEffectSize() async {
        await #expect(processExitsWith: .failure) {
            let block = AcceptorBlock()
            var effect = paxos_effect_t()
            effect.size_bytes = 8
            _ = paxos_acceptor_poll(block.acceptor, &effect)
        }
    }

    @Test("an entry over the largest value stops the program before it writes")
    func entryTooLarge() async {
        await #expect(processExitsWith: .failure) {
            var header = paxos_entry_t()
            header.value_bytes = PAXOS_VALUE_BYTES_MAX + 1
            var out: [UInt8] = [0]
            _ = paxos_entry_put(&out, header, [1])
        }
    }

    @Test("to look at what is no block stops the program")
    func foreignIsNotShown() async {
        await #expect(processExitsWith: .failure) {
            let block = AcceptorBlock()
            block.acceptor.pointee.magic ^= 1
            _ = block.status
        }
    }
}
