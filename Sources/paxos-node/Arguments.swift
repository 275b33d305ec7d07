import Foundation
import Paxos

/// Arguments that need more than a number.
enum Arguments {
    /// "1=127.0.0.1:7001,2=127.0.0.1:7002" as addresses by node.
    static func members(_ text: String) throws(Usage) -> [NodeID: String] {
        var members: [NodeID: String] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let node = NodeID(sides[0]), node > 0 else {
                throw Usage("--members: \"\(part)\" is not like 1=127.0.0.1:7001")
            }
            if members.updateValue(String(sides[1]), forKey: node) != nil {
                throw Usage("--members names node \(node) twice")
            }
        }
        return members
    }

    static func security(keyFile: String?, trusted: Bool) throws(Usage) -> Replica.Security {
        guard trusted != (keyFile != nil) else { throw Usage("say either --key-file or --trusted") }
        guard let keyFile else { return .trusted }
        guard let key = FileManager.default.contents(atPath: keyFile) else {
            throw Usage("--key-file: \(keyFile) cannot be read")
        }
        guard key.count == 32 else {
            throw Usage("--key-file: \(keyFile) has \(key.count) bytes, not 32")
        }
        return .key(Array(key))
    }
}
