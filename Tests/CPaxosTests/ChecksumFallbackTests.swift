@preconcurrency import CPaxos
import PaxosSimulator
import Testing

/// What the CPU can do is one word for the whole process. Taking its abilities away changes no
/// value, so that this may run beside other tests.
@Suite(.serialized)
struct ChecksumFallbackTests {
    private func compare(_ what: String) {
        var random = SplitMix(seed: 4)
        let bytes = random.bytes(2100)
        for length in Array(0...700) + [1024, 1500, 2100] {
            let expected = paxos_crc32c_portable(9, bytes, length)
            var same = paxos_crc32c(9, bytes, length) == expected
            if length % 4 == 0 {
                same = same && paxos_crc32c_words(9, bytes, length) == expected
            }
            if !same {
                Issue.record("\(what), length \(length)")
                return
            }
        }
    }

    @Test("the plain code, when a test forces it, whoever detects again")
    func forcedPortable() {
        paxos_cpu_force_portable(true)
        paxos_cpu_detect()
        compare("forced portable")
        paxos_cpu_force_portable(false)
        compare("detected again")
    }

    #if arch(x86_64)
    @Test("each lesser CPU: without the wide multiplication, without any, without the instruction")
    func lesserCPUs() {
        paxos_cpu_force_portable(false)
        let facts = paxos_cpu_facts
        let without = [
            PAXOS_CPU_CLMUL512,
            PAXOS_CPU_CLMUL512 | PAXOS_CPU_CLMUL,
            PAXOS_CPU_CLMUL512 | PAXOS_CPU_CLMUL
                | PAXOS_CPU_CRC32C,
        ]
        for missing in without {
            paxos_cpu_facts = facts & ~UInt32(missing)
            compare("without \(missing) of \(facts)")
        }
        paxos_cpu_facts = facts
    }
    #endif
}
