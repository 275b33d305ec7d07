/// What may happen to one node, as one number.
enum NodeEvent: Equatable {
    case deliver(UInt32)
    /// So many of the records that wait are durable now.
    case flush(Int)
    case campaign
    case propose
    /// The node loses what is not on its disk, and comes back.
    case restart

    init(_ code: UInt32) {
        switch code & 7 {
        case 0: self = .deliver(code >> 3)
        case 1: self = .flush(Int(code >> 3))
        case 2: self = .campaign
        case 3: self = .propose
        default: self = .restart
        }
    }

    var code: UInt32 {
        switch self {
        case .deliver(let message): message << 3
        case .flush(let records): UInt32(records) << 3 | 1
        case .campaign: 2
        case .propose: 3
        case .restart: 4
        }
    }
}
