internal import CPaxos
internal import CPaxosRuntime

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Replica.Options {
    /// Calls `body` with the same options as the runtime wants them.
    func withHost<Result>(
        applied: UInt64, _ body: (inout paxos_host_options_t) -> Result
    ) throws(Replica.OpenError) -> Result {
        var config = try checkedConfig()
        var applied = applied
        var host = paxos_host_options_t()
        host.size_bytes = UInt32(MemoryLayout<paxos_host_options_t>.size)
        host.group_count = 1
        host.spin_ns = ManualReplica.Instant(spin).nanoseconds
        setJournal(&host)
        host.transport.peer_count = UInt16(configuration.members.count - 1)

        let texts = Texts()
        host.directory = texts.keep(directory)
        host.transport.listen = texts.keep(listen)
        let others = configuration.members.filter { $0 != configuration.node }
        let places = others.map { node in
            paxos_transport_peer_t(
                address: texts.keep(peers[node]), node: node, zero: 0, zero2: 0)
        }
        var key: [UInt8] = []
        switch security {
        case .key(let bytes):
            key = bytes
            host.transport.security = PAXOS_TRANSPORT_KEYED.rawValue
        case .trusted: host.transport.security = PAXOS_TRANSPORT_TRUSTED.rawValue
        }
        defer { withExtendedLifetime(texts) {} }
        return withUnsafePointer(to: &config) { config in
            withUnsafePointer(to: &applied) { applied in
                places.withUnsafeBufferPointer { places in
                    key.withUnsafeBufferPointer { key in
                        host.groups = config
                        host.applied_slots = applied
                        host.transport.peers = places.baseAddress
                        host.transport.key = key.isEmpty ? nil : key.baseAddress
                        return body(&host)
                    }
                }
            }
        }
    }

    /// The rules that the runtime cannot check, because it does not see what was said.
    private func checkedConfig() throws(Replica.OpenError) -> paxos_config_t {
        var configuration = configuration
        configuration.incarnation = 1
        configuration.seed = 0
        let config: paxos_config_t
        do throws(ConfigurationError) {
            config = try configuration.checked()
        } catch {
            throw .options(error.rule)
        }
        if case .key(let bytes) = security, bytes.count != Int(PAXOS_TRANSPORT_KEY_BYTES) {
            throw .options("a key is \(PAXOS_TRANSPORT_KEY_BYTES) bytes, not \(bytes.count)")
        }
        let lower = configuration.members.filter { $0 < configuration.node }
        if let silent = lower.first(where: { peers[$0] == nil }) {
            throw .options("peers has no address of node \(silent), which this node dials")
        }
        if queueCount < 1 || queueBytes < 1 || deliveryBytes < 1 {
            throw .options("queueCount, queueBytes and deliveryBytes are 1 or more")
        }
        return config
    }

    /// Segments of about 16 MiB, but not under four of them.
    private func setJournal(_ host: inout paxos_host_options_t) {
        guard let journalBytes else { return }
        let count = min(max(journalBytes >> 24, 4), Int(PAXOS_JOURNAL_SEGMENTS_MAX))
        host.segment_count = UInt32(count)
        host.segment_bytes = UInt64(clamping: (journalBytes / count + 4095) / 4096 * 4096)
    }
}

/// C strings that live as long as this does.
private final class Texts {
    private var texts: [UnsafeMutablePointer<CChar>] = []

    func keep(_ text: String?) -> UnsafePointer<CChar>? {
        guard let copy = text.flatMap({ strdup($0) }) else { return nil }
        texts.append(copy)
        return UnsafePointer(copy)
    }

    deinit { texts.forEach { free($0) } }
}
