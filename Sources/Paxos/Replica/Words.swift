internal import CPaxosRuntime
internal import CPaxosTransport

#if canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What C says, as Swift says it.
enum Words {
    static func system(_ error: Int32) -> String { String(cString: strerror(error)) }

    static func of(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }

    /// Why a connection ended.
    static func link(_ reason: UInt16, _ error: Int32) -> String {
        let reason = paxos_transport_reason_t(rawValue: UInt32(reason))
        let words = of(paxos_transport_reason_words(reason))
        return error == 0 ? words : "\(words): \(system(error))"
    }
}

extension Replica.OpenError {
    /// - Parameter directory: for a person.
    init(_ status: paxos_host_status_t, _ fault: paxos_host_fault_t, directory: String) {
        let what = Words.of(fault.what)
        switch status {
        case PAXOS_HOST_ERR_JOURNAL:
            self = Self.journal(paxos_journal_status_t(fault.detail), what, fault.error, directory)
        case PAXOS_HOST_ERR_TRANSPORT
        where fault.detail == PAXOS_TRANSPORT_ERR_OPTIONS.rawValue:
            self = .options(what)
        case PAXOS_HOST_ERR_REPLICA where fault.detail == PAXOS_ERR_RANGE.rawValue:
            self = .applied(what)
        case PAXOS_HOST_ERR_OPTIONS: self = .options(what)
        default: self = .system(what, error: fault.error)
        }
    }

    private static func journal(
        _ status: paxos_journal_status_t, _ what: String, _ error: Int32, _ directory: String
    ) -> Self {
        switch status {
        case PAXOS_JOURNAL_ERR_LOCKED: .directoryLocked(directory)
        case PAXOS_JOURNAL_ERR_MISSING: .directoryMissing(directory)
        case PAXOS_JOURNAL_ERR_EXISTS: .directoryExists(directory)
        case PAXOS_JOURNAL_ERR_FOREIGN: .directoryForeign(directory)
        case PAXOS_JOURNAL_ERR_VERSION: .directoryVersion(directory)
        case PAXOS_JOURNAL_ERR_CORRUPT: .directoryCorrupt(directory)
        case PAXOS_JOURNAL_ERR_SHAPE: .options(what)
        default: .system("\(directory): \(what)", error: error)
        }
    }
}

extension Replica.Failure {
    init(_ fault: paxos_host_fault_t) {
        let status = paxos_host_status_t(fault.status)
        let words = Words.of(paxos_host_words(status))
        let what = Words.of(fault.what)
        let cause = fault.error == 0 ? "" : ": \(Words.system(fault.error))"
        self.init(description: "\(words): \(what)\(cause)", error: fault.error)
    }
}
