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
        for value in values ?? [64] {
            for batch in batches {
                suites.append(
                    CommitFromCSuite(nodes: 3, valueBytes: value, batch: batch, seed: seed))
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
                for withUring in JournalSuite.hasUring ? [false, true] : [false] {
                    suites.append(
                        JournalSuite(
                            valueBytes: value, batch: batch, withUring: withUring, seed: seed,
                            directory: selection.directory))
                }
            }
        }
        for source in RecoverSuite.Source.allCases {
            suites.append(
                RecoverSuite(
                    valueBytes: values?.first ?? 64, batch: batches.last ?? 64,
                    byteCount: selection.journal ?? 128 << 20, source: source, seed: seed,
                    directory: selection.directory))
        }
        let pool = ProcessPool(parent: selection.directory)
        for isDurable in [false, true] {
            for value in values ?? [64, 1024] {
                for clients in NodeSuite.Clients.all {
                    suites.append(
                        NodeSuite(
                            valueBytes: value, isDurable: isDurable, clients: clients, pool: pool))
                }
            }
        }
        for value in values ?? [64] {
            for clients in [NodeSuite.Clients.atLeader(1), .atFollower] {
                suites.append(
                    NodeSuite(
                        valueBytes: value, isDurable: false, clients: clients, spin_ns: 50_000,
                        pool: pool))
            }
        }
        for value in values ?? [64] {
            for shape in ReplicaSuite.Shape.all {
                suites.append(ReplicaSuite(valueBytes: value, shape: shape, pool: pool))
            }
        }
        for isLoaded in [false, true] {
            suites.append(
                CatchUpSuite(
                    valueBytes: values?.first ?? 64, isLoaded: isLoaded,
                    journalBytes: selection.journal ?? 512 << 20, pool: pool,
                    directory: selection.directory))
        }
        for value in values ?? [64] {
            for source in RecoverSuite.Source.allCases {
                suites.append(
                    NodeRecoverSuite(
                        valueBytes: value, source: source,
                        journalBytes: selection.journal ?? 1 << 30, pool: pool))
            }
        }
        for isDurable in [false, true] {
            suites.append(
                FailoverSuite(
                    isDurable: isDurable, kills: selection.kills, directory: selection.directory))
        }
        self.suites = suites
    }

    /// The suites whose name is one of `names`, or starts with one.
    /// - Throws: a `BenchError` that names the first word that fits none.
    func matching(_ names: [String]) throws -> [any Suite] {
        if names.isEmpty { return suites.filter { !$0.isAskedFor } }
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
