/// Every suite there is, in the order of the table.
struct Catalogue {
    let suites: [any Suite]

    /// - Parameter selection: its values and batches replace the usual ones.
    init(_ selection: Selection) {
        let seed = selection.seed
        let values = selection.values?.numbers
        let batches = selection.batch?.numbers ?? [1, 64]
        var suites: [any Suite] = []
        for value in values ?? [64] {
            for batch in batches {
                suites.append(AcceptFrameSuite(valueBytes: value, batch: batch, seed: seed))
            }
        }
        for value in values ?? [64] {
            suites.append(AcceptStructSuite(valueBytes: value, seed: seed))
        }
        suites.append(PrepareFrameSuite(seed: seed))
        suites.append(CodecSuite(.encodeFrame, seed: seed))
        suites.append(CodecSuite(.decodeFrame, seed: seed))
        for value in values ?? [64] {
            suites.append(CodecSuite(.putEntry, valueBytes: value, seed: seed))
            suites.append(CodecSuite(.verifyEntry, valueBytes: value, seed: seed))
        }
        for value in values ?? [64, 1024] {
            suites.append(CodecSuite(.checksum, valueBytes: value, seed: seed))
        }
        for nodes in [3, 5] {
            for value in values ?? [64, 1024] {
                for batch in batches {
                    suites.append(
                        CommitSuite(nodes: nodes, valueBytes: value, batch: batch, seed: seed))
                }
            }
        }
        for unit in [Unit.events, .nanoseconds] {
            suites.append(TakeoverSuite(unit: unit, seed: seed))
        }
        for value in values ?? [64] {
            for batch in batches {
                suites.append(SwiftSuite(valueBytes: value, batch: batch, seed: seed))
            }
        }
        for value in values ?? [64] {
            for batch in batches {
                suites.append(
                    JournalSuite(
                        valueBytes: value, batch: batch, seed: seed,
                        directory: selection.directory))
            }
        }
        self.suites = suites
    }

    /// The suites whose name is one of `names`, or starts with one.
    /// - Throws: a `BenchError` that names the first word that fits none.
    func matching(_ names: [String]) throws -> [any Suite] {
        if names.isEmpty { return suites }
        for name in names where !suites.contains(where: { $0.name.hasPrefix(name) }) {
            throw BenchError("no suite is called '\(name)'; bench list names them all")
        }
        return suites.filter { suite in
            names.contains(suite.name)
                || names.contains { name in
                    /* a whole name does not stand for longer ones: batch=1 is not batch=16 */
                    !suites.contains { $0.name == name } && suite.name.hasPrefix(name)
                }
        }
    }
}
